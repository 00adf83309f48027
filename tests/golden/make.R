# Makes the CSVs of this folder with R; README.md lists them, each with its call.
# Run in this folder: Rscript make.R    (Debian: apt-get install r-base-core r-cran-survival r-cran-survey r-cran-cmprsk r-cran-metafor)
suppressPackageStartupMessages({
  library(survival)
  library(survey)
  library(cmprsk)
  library(metafor)
})
options(digits = 15)

keep <- function(rows, name) write.csv(rows, paste0(name, ".csv"), row.names = FALSE, quote = FALSE, na = "")

for (topic in c("survival.R", "cox.R", "ends.R", "weights.R", "drivers.R", "pooling.R", "leaving.R", "gaps.R", "forecast.R", "retention.R")) source(topic)

packages <- c("survival", "survey", "cmprsk", "metafor")
keep(data.frame(software = c("R", packages),
                version = c(as.character(getRversion()), sapply(packages, function(name) as.character(packageVersion(name))))),
     "versions")
