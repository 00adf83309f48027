# Groups drawn towards their mean: the variance between them by Paule and Mandel, and the predictions that take it as known.

trials <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
groups_of <- list(
  schools = data.frame(y = c(28, 8, -3, 7, -1, 1, 18, 12), v = c(15, 10, 16, 11, 9, 11, 10, 18)^2),
  vaccine = data.frame(y = as.numeric(trials$yi), v = as.numeric(trials$vi))
)
pooled <- function(name) {
  group <- groups_of[[name]]
  fit <- rma(yi = group$y, vi = group$v, method = "PM", control = list(tol = 1e-12))
  data.frame(of = name, group, between = fit$tau2, mean = as.numeric(fit$beta), predicted = blup(fit)$pred)
}
keep(do.call(rbind, lapply(names(groups_of), pooled)), "pooling")
