# Several gaps of one patient: Kaplan-Meier with the variance between patients.

patients <- with(cgd, data.frame(patient = id, start = tstart, stop = tstop, infected = status))
keep(patients, "cgd")

fit <- survfit(Surv(stop - start, infected) ~ 1, patients, id = seq_along(patient), cluster = patient)
steps <- summary(fit)
keep(data.frame(gap_days = steps$time, n = steps$n.risk, infected = steps$n.event, estimate = steps$surv, std_error = steps$std.err), "cgd_gaps")
