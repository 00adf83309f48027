# Kaplan-Meier with ties, censoring, groups and delayed entry; quantiles, restricted means, log-rank tests.

# Advanced lung cancer, North Central Cancer Treatment Group (Loprinzi et al. 1994); it comes with the package.
rows <- data.frame(time = lung$time, left = as.integer(lung$status == 2), sex = lung$sex)
# A delayed entry for two in three, by a rule that needs no random numbers; 0 is no delay.
rows$entry <- (seq_len(nrow(rows)) * 37) %% 91
rows$entry[seq_len(nrow(rows)) %% 3 == 0 | rows$entry >= rows$time] <- 0
rows$age <- lung$age
rows$ecog <- lung$ph.ecog
rows$institution <- lung$inst
keep(rows, "lung")
lung_rows <- rows

table_of <- function(fit) {
  data.frame(tenure_days = fit$time, n = fit$n.risk, events = fit$n.event, censored = fit$n.censor,
             estimate = fit$surv, low = fit$lower, high = fit$upper)
}
all <- survfit(Surv(time, left) ~ 1, rows, conf.type = "log-log")
by_sex <- survfit(Surv(time, left) ~ sex, rows, conf.type = "log-log")
# R takes who enters at a day as not yet at risk on it; here they are, hence the half day.
late <- survfit(Surv(entry - 0.5, time, left) ~ 1, rows, conf.type = "log-log")
keep(table_of(all), "lung_km")
keep(table_of(late), "lung_late")

medians <- rbind(
  summary(by_sex)$table[, c("records", "events", "median")],
  summary(late)$table[c("records", "events", "median")]
)
bounds <- summary(late)$table[c("0.95LCL", "0.95UCL")]
keep(data.frame(group = c("men", "women", "late"), n = medians[, 1], churned = medians[, 2], estimate = medians[, 3],
                low = c(NA, NA, bounds[1]), high = c(NA, NA, bounds[2])), "lung_medians")

at <- summary(by_sex, times = c(0, 90, 180, 365, 730), extend = TRUE)
keep(data.frame(sex = as.integer(at$strata), tenure_days = at$time, n = at$n.risk, estimate = at$surv, std_error = at$std.err,
                low = at$lower, high = at$upper), "lung_at")

shares <- c(0.1, 0.25, 0.5, 0.75, 0.9)
quantiles_of <- function(fit, group) {
  found <- quantile(fit, shares)
  data.frame(group = group, share_left = shares, estimate = as.vector(found$quantile), low = as.vector(found$lower),
             high = as.vector(found$upper))
}
keep(rbind(quantiles_of(all, "all"), quantiles_of(by_sex[1], "men"), quantiles_of(by_sex[2], "women"), quantiles_of(late, "late")),
     "lung_quantiles")

restricted_of <- function(fit, group, horizon) {
  found <- summary(fit, rmean = horizon)$table
  data.frame(group = group, horizon_days = horizon, estimate = found[["rmean"]], std_error = found[["se(rmean)"]])
}
keep(do.call(rbind, lapply(c(180, 365, 730), function(horizon) {
  rbind(restricted_of(all, "all", horizon), restricted_of(by_sex[1], "men", horizon), restricted_of(by_sex[2], "women", horizon),
        restricted_of(late, "late", horizon))
})), "lung_restricted_mean")

rank_test <- function(name, fit) {
  sums <- function(x) if (is.matrix(x)) rowSums(x) else x
  data.frame(test = name, group = seq_along(fit$n), n = as.vector(fit$n), observed = sums(fit$obs), expected = sums(fit$exp),
             chi2 = fit$chisq, df = length(fit$n) - 1, p = pchisq(fit$chisq, length(fit$n) - 1, lower.tail = FALSE))
}
known <- rows[!is.na(rows$ecog), ]
keep(rbind(
  rank_test("sex", survdiff(Surv(time, left) ~ sex, rows)),
  rank_test("ecog", survdiff(Surv(time, left) ~ ecog, known)),
  rank_test("sex within ecog", survdiff(Surv(time, left) ~ sex + strata(ecog), known)),
  rank_test("sex with rho 1", survdiff(Surv(time, left) ~ sex, rows, rho = 1))
), "lung_rank_tests")

# Multicenter AIDS Cohort Study, years from diagnosis; who entered the study late was at risk of being missed before.
macs <- read.csv("macs.csv")
keep(table_of(survfit(Surv(entry, time, left) ~ 1, macs, conf.type = "log-log")), "macs_km")
