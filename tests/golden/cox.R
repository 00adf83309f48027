# Cox models: ties, late entry, start-stop rows, strata, robust errors, counts as weights, checks of proportionality.

# R stops when the likelihood has nearly settled; here it goes on until it has.
settled <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50)
cox <- function(...) {
  call <- match.call(expand.dots = TRUE)
  call[[1]] <- quote(coxph)
  call$control <- quote(settled)
  eval(call, parent.frame())
}

fits <- list(
  lung_efron = cox(Surv(time, left) ~ age + sex + ecog, lung_rows),
  lung_breslow = cox(Surv(time, left) ~ age + sex + ecog, lung_rows, ties = "breslow"),
  lung_strata = cox(Surv(time, left) ~ age + ecog + strata(sex), lung_rows),
  lung_late = cox(Surv(entry - 0.5, time, left) ~ age + sex + ecog, lung_rows),
  lung_late_sex = cox(Surv(entry - 0.5, time, left) ~ sex, lung_rows),
  lung_robust = cox(Surv(time, left) ~ age + sex + ecog, lung_rows, robust = TRUE),
  lung_cluster = cox(Surv(time, left) ~ age + sex + ecog, lung_rows, cluster = institution, subset = !is.na(institution)),
  # Everything at once: late entry, ties, strata, and robust errors.
  lung_late_strata = cox(Surv(entry - 0.5, time, left) ~ age + ecog + strata(sex), lung_rows, cluster = institution, subset = !is.na(institution))
)

# Recidivism after prison (Rossi, Berk, Lenihan 1980).
rossi <- read.csv("rossi.csv")
rossi_formula <- Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio
fits$rossi_efron <- cox(rossi_formula, rossi)
fits$rossi_breslow <- cox(rossi_formula, rossi, ties = "breslow")

# Stanford heart transplants: start-stop rows, several a patient (Crowley, Hu 1977).
heart_rows <- with(heart, data.frame(patient = id, start, stop, event, age, year, surgery, transplant = as.integer(transplant == "1")))
keep(heart_rows, "heart")
heart_formula <- Surv(start, stop, event) ~ age + year + surgery + transplant
fits$heart_efron <- cox(heart_formula, heart_rows)
fits$heart_cluster <- cox(heart_formula, heart_rows, cluster = patient)

# Monoclonal gammopathy (Kyle et al. 2002), as ends.R keeps it: delayed entry, in months, with many ties.
gammopathy <- read.csv("mgus2.csv")
gammopathy$left <- as.integer(gammopathy$end > 0)
fits$mgus2_late <- cox(Surv(entry - 0.5, time, left) ~ age + woman, gammopathy)

# Equal rows of the lung data in months, counted. R's Efron takes d, the number of tied rows, from the rows and not
# from their weights: on counts it is another answer than on the rows. Breslow's is the same.
known <- lung_rows[!is.na(lung_rows$ecog), ]
known$month <- ceiling(known$time / 30)
known$count <- 1
patterns <- aggregate(count ~ month + left + sex + ecog, known, sum)
keep(patterns, "lung_patterns")
months <- Surv(month, left) ~ sex + ecog
fits$months_rows_efron <- cox(months, known)
fits$months_counts_efron <- cox(months, patterns, weights = count)
fits$months_rows_breslow <- cox(months, known, ties = "breslow")
fits$months_counts_breslow <- cox(months, patterns, weights = count, ties = "breslow")

# Veterans' lung cancer (Kalbfleisch, Prentice 1980), whose Karnofsky score fades: the vignette on time dependence.
veteran_rows <- with(veteran, data.frame(time, left = status, treatment = trt, prior, karno))
keep(veteran_rows, "veteran")
fits$veteran_efron <- cox(Surv(time, left) ~ treatment + prior + karno, veteran_rows)
fits$veteran_karno_log_time <- cox(Surv(time, left) ~ treatment + prior + karno + tt(karno), veteran_rows,
                                     tt = function(x, t, ...) x * log(t + 20))

terms_of <- function(name) {
  fit <- fits[[name]]
  robust <- !is.null(fit$naive.var)
  data.frame(fit = name, term = gsub("tt(karno)", "karno_log_time", names(coef(fit)), fixed = TRUE), estimate = as.vector(coef(fit)),
             std_error = sqrt(diag(if (robust) fit$naive.var else fit$var)), robust_error = if (robust) sqrt(diag(fit$var)) else NA)
}
keep(do.call(rbind, lapply(names(fits), terms_of)), "cox_terms")

whole_of <- function(name) {
  fit <- fits[[name]]
  tests <- summary(fit)
  data.frame(fit = name, n = fit$n, events = fit$nevent, log_likelihood_null = fit$loglik[1], log_likelihood = fit$loglik[2],
             score_chi2 = tests$sctest[["test"]], wald_chi2 = fit$wald.test[[1]], df = tests$sctest[["df"]],
             robust_score_chi2 = if (is.null(tests$robscore)) NA else tests$robscore[["test"]],
             concordance = tests$concordance[["C"]], concordance_error = tests$concordance[["se(C)"]])
}
keep(do.call(rbind, lapply(names(fits), whole_of)), "cox_fits")

checks_of <- function(name, transform) {
  found <- cox.zph(fits[[name]], transform = transform)$table
  data.frame(fit = name, transform = transform, term = rownames(found), chi2 = found[, "chisq"], df = found[, "df"], p = found[, "p"])
}
keep(rbind(checks_of("veteran_efron", "identity"), checks_of("veteran_efron", "log"), checks_of("veteran_efron", "km"),
           checks_of("rossi_efron", "identity"), checks_of("lung_late", "identity"), checks_of("heart_efron", "identity"),
           checks_of("heart_efron", "km"), checks_of("mgus2_late", "km"), checks_of("lung_late_strata", "km"),
           checks_of("lung_late_strata", "identity")), "cox_zph")

residuals_of <- function(name) {
  found <- residuals(fits[[name]], "schoenfeld")
  data.frame(fit = name, time = as.numeric(rownames(found)), term = rep(colnames(found), each = nrow(found)), residual = as.vector(found))
}
keep(rbind(residuals_of("veteran_efron"), residuals_of("lung_late")), "cox_schoenfeld")

baseline_of <- function(name) {
  found <- basehaz(fits[[name]], centered = FALSE)
  data.frame(fit = name, time = found$time, cumulative_hazard = found$hazard)
}
keep(rbind(baseline_of("rossi_efron"), baseline_of("rossi_breslow"), baseline_of("lung_late")), "cox_baseline")

predicted <- survfit(fits$rossi_efron, newdata = data.frame(fin = c(0, 1), age = c(20, 35), race = 1, wexp = c(0, 1), mar = 0, paro = 1, prio = c(8, 0)))
at <- summary(predicted, times = c(10, 20, 30, 40, 52))
keep(data.frame(person = rep(1:2, each = 5), week = at$time, survival = as.vector(at$surv), std_error = as.vector(at$std.err)), "rossi_predicted")

# One person, in both strata; the error has the robust covariance.
of_sex <- summary(survfit(fits$lung_late_strata, newdata = data.frame(age = 60, ecog = 1)), times = c(90, 180, 365, 730))
keep(data.frame(sex = rep(1:2, each = 4), time = of_sex$time, survival = of_sex$surv, std_error = of_sex$std.err), "lung_predicted")
