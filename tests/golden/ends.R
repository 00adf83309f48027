# Competing ends: cumulative incidence with its variance, Gray's test, cause-specific hazards.

ties <- data.frame(time = c(1, 1, 2, 2, 3, 4), end = c(1, 2, 1, 0, 2, 1))
# Monoclonal gammopathy (Kyle et al. 2002): months to a plasma cell malignancy (1) or to death without it (2); 0 is still there.
ends <- with(mgus2, data.frame(time = ifelse(pstat == 1, ptime, futime), end = ifelse(pstat == 1, 1, 2 * death),
                               woman = as.integer(sex == "F"), age = age))
# A delayed entry by a rule, for two in three; 0 is no delay.
ends$entry <- (seq_len(nrow(ends)) * 29) %% 47
ends$entry[seq_len(nrow(ends)) %% 3 == 0 | ends$entry >= ends$time] <- 0
keep(ties, "ends_ties")
keep(ends, "mgus2")

states <- function(rows) factor(rows$end, 0:2, c("there", "1", "2"))
johansen_of <- function(fit, sample, group, times) {
  at <- summary(fit, times = times, extend = TRUE)
  do.call(rbind, lapply(1:2, function(k) {
    data.frame(sample = sample, group = group, end = k, time = at$time, estimate = at$pstate[, k + 1], std_error = at$std.err[, k + 1])
  }))
}
curve <- function(rows, ...) {
  rows$state <- states(rows)
  rows$id <- seq_len(nrow(rows))
  survfit(Surv(time, state) ~ 1, rows, ...)
}
late_curve <- function(rows) {
  rows$state <- states(rows)
  rows$id <- seq_len(nrow(rows))
  survfit(Surv(entry - 0.5, time, state) ~ 1, rows, id = id)
}
months <- c(6, 12, 24, 60, 120, 240, 360)
keep(rbind(
  johansen_of(curve(ties), "ends_ties", "all", 1:4),
  johansen_of(curve(ends), "mgus2", "all", months),
  johansen_of(curve(ends[ends$woman == 0, ]), "mgus2", "men", months),
  johansen_of(curve(ends[ends$woman == 1, ]), "mgus2", "women", months),
  johansen_of(late_curve(ends), "mgus2", "late", months)
), "ends_johansen")

gray_of <- function(sample, fit, times, groups) {
  at <- timepoints(fit, times)
  names <- strsplit(rownames(at$est), " ")
  do.call(rbind, lapply(seq_along(names), function(k) {
    data.frame(sample = sample, group = groups[[names[[k]][1]]], end = as.integer(names[[k]][2]), time = times, estimate = at$est[k, ],
               variance = at$var[k, ])
  }))
}
whole <- cuminc(ends$time, ends$end)
parted <- cuminc(ends$time, ends$end, ifelse(ends$woman == 1, "women", "men"))
keep(rbind(
  gray_of("ends_ties", cuminc(ties$time, ties$end), 1:4, c("1" = "all")),
  gray_of("mgus2", whole, months, c("1" = "all")),
  gray_of("mgus2", parted, months, c(men = "men", women = "women"))
), "ends_cuminc")
keep(data.frame(end = as.integer(rownames(parted$Tests)), chi2 = parted$Tests[, "stat"], df = parted$Tests[, "df"], p = parted$Tests[, "pv"]),
     "ends_gray_test")

causes <- rbind(
  data.frame(end = 1, term = c("age", "woman"), summary(cox(Surv(time, end == 1) ~ age + woman, ends))$coefficients[, c("coef", "se(coef)")]),
  data.frame(end = 2, term = c("age", "woman"), summary(cox(Surv(time, end == 2) ~ age + woman, ends))$coefficients[, c("coef", "se(coef)")])
)
names(causes)[3:4] <- c("estimate", "std_error")
keep(causes, "ends_cause_specific")
