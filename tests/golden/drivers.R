# What each driver of a score explains: the mean of its gain of R² over all orders, from fits of lm() alone, and Johnson's weights.

orders <- function(items) {
  if (length(items) < 2) return(list(items))
  do.call(c, lapply(seq_along(items), function(first) lapply(orders(items[-first]), function(rest) c(items[first], rest))))
}
gains <- function(rows, score, drivers) {
  r2 <- function(used) if (length(used)) summary(lm(reformulate(used, score), rows))$r.squared else 0
  known <- new.env()
  of <- function(used) {
    name <- paste(c("-", sort(used)), collapse = " ")
    if (is.null(known[[name]])) known[[name]] <- r2(used)
    known[[name]]
  }
  all <- orders(drivers)
  sapply(drivers, function(driver) mean(sapply(all, function(order) {
    before <- order[seq_len(match(driver, order) - 1)]
    of(c(before, driver)) - of(before)
  })))
}
johnson <- function(rows, score, drivers) {
  roots <- eigen(cor(rows[drivers]))
  half <- roots$vectors %*% diag(sqrt(roots$values)) %*% t(roots$vectors)
  drop(half^2 %*% solve(half, cor(rows[drivers], rows[[score]]))^2)
}
of_data <- function(data, rows, score, drivers) {
  data.frame(data = data, driver = drivers, lmg = gains(rows, score, drivers), johnson = johnson(rows, score, drivers),
             slope = coef(lm(reformulate(drivers, score), rows))[drivers])
}
keep(mtcars[c("mpg", "cyl", "disp", "hp", "gear")], "mtcars")
keep(attitude, "attitude")
keep(rbind(of_data("mtcars", mtcars, "mpg", c("cyl", "disp", "hp", "gear")),
           of_data("attitude", attitude, "rating", setdiff(names(attitude), "rating"))), "drivers")
