# Weights to known margins, and linearised variances with strata, clusters and weights.

data(api) # Academic Performance Index of Californian schools, 2000; it comes with the survey package.
school <- function(rows, ...) {
  # An answer from 0 to 10 made of the index, so that a Net Promoter Score has clusters and weights to be tried on.
  data.frame(..., weight = rows$pw, type = as.character(rows$stype), target = as.character(rows$sch.wide), year_round = as.character(rows$yr.rnd),
             index = rows$api00, before = rows$api99, score = pmin(10, pmax(0, round((rows$api00 - 400) / 40))))
}
simple <- school(apisrs, fpc = apisrs$fpc)
strata <- school(apistrat, fpc = apistrat$fpc)
clusters <- school(apiclus1, district = apiclus1$dnum, fpc = apiclus1$fpc)
clusters$nps <- 100 * ((clusters$score >= 9) - (clusters$score <= 6))
strata$nps <- 100 * ((strata$score >= 9) - (strata$score <= 6))
simple$nps <- 100 * ((simple$score >= 9) - (simple$score <= 6))
keep(simple, "api_simple")
keep(strata, "api_strata")
keep(clusters, "api_clusters")

by_type <- as.data.frame(table(type = apipop$stype), responseName = "Freq")
by_target <- as.data.frame(table(target = apipop$sch.wide), responseName = "Freq")
keep(rbind(data.frame(column = "type", value = as.character(by_type$type), customers = by_type$Freq),
           data.frame(column = "target", value = as.character(by_target$target), customers = by_target$Freq)), "api_margins")

designs <- list(
  simple = svydesign(ids = ~1, weights = ~weight, data = simple),
  simple_fpc = svydesign(ids = ~1, fpc = ~fpc, data = simple),
  strata = svydesign(ids = ~1, strata = ~type, weights = ~weight, data = strata),
  strata_fpc = svydesign(ids = ~1, strata = ~type, weights = ~weight, fpc = ~fpc, data = strata),
  clusters = svydesign(ids = ~district, weights = ~weight, data = clusters),
  clusters_fpc = svydesign(ids = ~district, weights = ~weight, fpc = ~fpc, data = clusters)
)

# By default rake() stops once no cell of the table moves by more than one customer; here it goes on to rounding.
raked <- function(design, epsilon = 1e-12) {
  rake(design, list(~type, ~target), list(by_type, by_target), control = list(maxit = 200, epsilon = epsilon, verbose = FALSE))
}
iterations <- function(design, epsilon) {
  for (most in 1:200) {
    done <- tryCatch(rake(design, list(~type, ~target), list(by_type, by_target),
                          control = list(maxit = most, epsilon = epsilon, verbose = FALSE)), warning = function(w) NULL)
    if (!is.null(done)) return(most)
  }
}
designs$simple_raked <- raked(designs$simple)
designs$strata_raked <- raked(designs$strata)
designs$clusters_raked <- raked(designs$clusters)
designs$simple_raked_default <- raked(designs$simple, 1)
designs$simple_post <- postStratify(designs$simple, ~type, by_type)
designs$clusters_post <- postStratify(designs$clusters, ~type, by_type)
weighted <- c("simple_raked", "simple_raked_default", "simple_post", "strata_raked", "clusters_raked", "clusters_post")
keep(do.call(rbind, lapply(weighted, function(name) {
  data.frame(design = name, row = seq_along(weights(designs[[name]])), weight = as.vector(weights(designs[[name]])))
})), "survey_weights")
keep(data.frame(design = c("simple", "simple", "strata", "clusters"), epsilon = c(1, 1e-12, 1e-12, 1e-12),
                rounds = c(iterations(designs$simple, 1), iterations(designs$simple, 1e-12), iterations(designs$strata, 1e-12),
                           iterations(designs$clusters, 1e-12))), "survey_rounds")

mean_of <- function(name, variable) {
  design <- designs[[name]]
  found <- svymean(reformulate(variable), design, deff = TRUE)
  again <- svymean(reformulate(variable), design, deff = "replace")
  bounds <- confint(found, df = degf(design))
  data.frame(design = name, variable = variable, estimate = coef(found)[[1]], std_error = SE(found)[[1]], df = degf(design), low = bounds[1],
             high = bounds[2], deff = deff(found)[[1]], deff_replace = deff(again)[[1]])
}
# A table that had not settled has no variance to compare with.
settled <- setdiff(names(designs), "simple_raked_default")
keep(do.call(rbind, lapply(settled, function(name) rbind(mean_of(name, "index"), mean_of(name, "nps")))), "survey_means")

# Two parts of one sample share districts, so the difference knows of their covariance.
part_of <- function(name, column) {
  found <- svyby(~nps, reformulate(column), designs[[name]], svymean)
  data.frame(design = name, by = column, group = as.character(found[[column]]), estimate = found$nps, std_error = SE(found))
}
keep(rbind(part_of("clusters", "year_round"), part_of("clusters", "type"), part_of("strata", "target"), part_of("clusters_raked", "target")),
     "survey_domains")
gap_of <- function(name, column) {
  fit <- svyglm(reformulate(column, "nps"), designs[[name]])
  found <- summary(fit)$coefficients
  data.frame(design = name, by = column, group = sub(column, "", rownames(found)[2]), change = found[2, 1], std_error = found[2, 2],
             df = fit$df.residual, t = found[2, 3], p = found[2, 4])
}
keep(rbind(gap_of("clusters", "year_round"), gap_of("clusters", "target"), gap_of("strata", "target"), gap_of("clusters_raked", "target")),
     "survey_differences")
