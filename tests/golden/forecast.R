# How well a forecast did: concordance with its infinitesimal jackknife, the Brier score weighted for censoring.

# A forecast by a rule, with ties.
told <- with(lung, data.frame(time = time, left = as.integer(status == 2), institution = inst,
                              chance = round(plogis((age - 62) / 15 - 0.8 * (sex == 2)), 2)))
told <- told[!is.na(told$institution), ]
keep(told, "forecast")

agreement <- function(kind, horizon, ...) {
  fit <- concordance(Surv(time, left) ~ chance, told, reverse = TRUE, ymax = horizon, ...)
  data.frame(kind = kind, horizon_days = horizon, estimate = fit$concordance, std_error = sqrt(fit$var))
}
keep(do.call(rbind, lapply(c(180, 365, 730), function(horizon) rbind(
  agreement("harrell", horizon, timewt = "n"),
  agreement("uno", horizon, timewt = "n/G2"),
  agreement("harrell_institutions", horizon, timewt = "n", cluster = told$institution)
))), "forecast_concordance")

# Graf's score, written out: who left by the day or was seen up to it, each as one over the chance of being seen so long.
# Leaving on a day comes before being last seen on it, as in concordance().
censoring <- survfit(Surv(time - left / 2, left == 0) ~ 1, told)
seen_before <- function(days) sapply(days, function(day) min(1, censoring$surv[censoring$time < day]))
score <- function(horizon, chance) {
  gone <- told$left == 1 & told$time <= horizon
  known <- gone | told$time >= horizon
  sum(ifelse(known, (gone - chance)^2 / seen_before(pmin(told$time, horizon)), 0)) / nrow(told)
}
staying <- survfit(Surv(time, left) ~ 1, told)
keep(do.call(rbind, lapply(c(180, 365, 730), function(horizon) {
  nobody <- 1 - summary(staying, times = horizon)$surv
  data.frame(horizon_days = horizon, brier = score(horizon, told$chance), brier_null = score(horizon, nobody))
})), "forecast_brier")

# Calibration by a day, of those known by it: the slope of leaving on the log odds of the chance, and how many left for each expected.
keep(do.call(rbind, lapply(c(180, 365), function(horizon) {
  known <- transform(told, gone = as.integer(left == 1 & time <= horizon))[told$left == 1 | told$time >= horizon, ]
  of <- function(clusters, kind) {
    design <- svydesign(clusters, weights = ~1, data = known)
    line <- svyglm(gone ~ qlogis(chance), design, family = quasibinomial(), epsilon = 1e-14, maxit = 100)
    ratio <- svyratio(~gone, ~chance, design)
    data.frame(kind = kind, horizon_days = horizon, measure = c("calibration_slope", "observed_expected"),
               estimate = c(coef(line)[2], coef(ratio)), std_error = c(SE(line)[2], SE(ratio)))
  }
  rbind(of(~seq_along(gone), "rows"), of(~institution, "institutions"))
})), "forecast_calibration")
