# Churn by the calendar: exact Poisson intervals, the trend of shares over cohorts, and the ratio of two sums of revenue.

bounds <- function(of, events) {
  found <- poisson.test(events)$conf.int
  data.frame(of = "poisson", case = of, estimate = events, low = found[1], high = found[2])
}
keep(rbind(bounds("none", 0), bounds("one", 1), bounds("ten", 10), bounds("many", 625)), "retention_poisson")

# Smokers among patients of four studies (Fleiss 1981), as in the help of prop.trend.test.
smokers <- c(83, 90, 129, 70)
patients <- c(86, 93, 136, 82)
tested <- prop.trend.test(smokers, patients)
keep(data.frame(still = smokers, n = patients, statistic = as.numeric(tested$statistic), p_value = tested$p.value), "retention_trend")

# Twelve customers of two months; the fourth left, the seventh doubled.
start <- c(40, 20, 20, 25, 60, 20, 30, 30, 200, 10, 15, 45)
then <- c(40, 20, 10, 0, 60, 20, 60, 25, 190, 10, 15, 50)
lost <- pmax(start - then, 0)
customers <- svydesign(ids = ~1, weights = ~1, data = data.frame(start, then, lost))
ratio <- function(name, top) {
  found <- svyratio(top, ~start, customers)
  data.frame(measure = name, estimate = as.numeric(coef(found)), std_error = as.numeric(SE(found)))
}
keep(rbind(ratio("revenue_churn", ~lost), ratio("net_retention", ~then)), "retention_ratios")
keep(data.frame(start, then), "retention_revenue")

# The same twelve a month later: what was lost of either month, and how far the two go together.
later <- c(20, 20, 25, 0, 60, 10, 55, 25, 200, 0, 15, 20)
both <- svydesign(ids = ~1, weights = ~1, data = data.frame(start, then, later, lost, gone = pmax(then - later, 0)))
paired <- function(name, tops) {
  found <- svyratio(tops, ~ start + then, both, covmat = TRUE)
  # Ratios of either numerator to either denominator: the first to the first, and the second to the second.
  errors <- vcov(found)[c(1, 4), c(1, 4)]
  data.frame(measure = name, change = diff(coef(found)[c(1, 4)]), before = errors[1, 1], after = errors[2, 2], both = errors[1, 2])
}
keep(rbind(paired("revenue_churn", ~ lost + gone), paired("net_retention", ~ then + later)), "retention_changes")
keep(data.frame(start, then, later), "retention_months")
