# Makes lung.csv, lung_km.csv, lung_late.csv and lung_medians.csv with R's survival package.
# Run in this folder: Rscript make.R    (Debian: apt-get install r-base-core r-cran-survival)
library(survival)
options(digits = 15)

# Advanced lung cancer, North Central Cancer Treatment Group (Loprinzi et al. 1994); it comes with the package.
rows <- data.frame(time = lung$time, left = as.integer(lung$status == 2), sex = lung$sex)
# A delayed entry for two in three, by a rule that needs no random numbers; 0 is no delay.
rows$entry <- (seq_len(nrow(rows)) * 37) %% 91
rows$entry[seq_len(nrow(rows)) %% 3 == 0 | rows$entry >= rows$time] <- 0
write.csv(rows, "lung.csv", row.names = FALSE, quote = FALSE)

table_of <- function(fit) {
  data.frame(tenure_days = fit$time, n = fit$n.risk, events = fit$n.event, censored = fit$n.censor,
             estimate = fit$surv, low = fit$lower, high = fit$upper)
}
write.csv(table_of(survfit(Surv(time, left) ~ 1, rows, conf.type = "log-log")),
          "lung_km.csv", row.names = FALSE, quote = FALSE)

# R takes who enters at a day as not yet at risk on it; here they are, hence the half day.
late <- survfit(Surv(entry - 0.5, time, left) ~ 1, rows, conf.type = "log-log")
write.csv(table_of(late), "lung_late.csv", row.names = FALSE, quote = FALSE)

medians <- rbind(
  summary(survfit(Surv(time, left) ~ sex, rows, conf.type = "log-log"))$table[, c("records", "events", "median")],
  summary(late)$table[c("records", "events", "median")]
)
bounds <- summary(late)$table[c("0.95LCL", "0.95UCL")]
write.csv(data.frame(group = c("men", "women", "late"), n = medians[, 1], churned = medians[, 2], estimate = medians[, 3],
                     low = c(NA, NA, bounds[1]), high = c(NA, NA, bounds[2])),
          "lung_medians.csv", row.names = FALSE, quote = FALSE)
writeLines(paste("R", getRversion(), "survival", packageVersion("survival")))
