# Start-stop rows of categories, several a patient, as a model of leaving has them; errors robust to it.

room <- list(
  transplant = cox(Surv(start, stop, event) ~ surgery + transplant, heart_rows, cluster = patient),
  apart = cox(Surv(start, stop, event) ~ transplant + strata(surgery), heart_rows, cluster = patient)
)
keep(do.call(rbind, lapply(names(room), function(fit) {
  found <- room[[fit]]
  data.frame(fit, term = names(coef(found)), estimate = coef(found), std_error = sqrt(diag(found$naive.var)),
             robust_error = sqrt(diag(found$var)))
})), "heart_categories")
