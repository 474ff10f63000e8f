# Numbers of R's mgcv for the models of table.csv; writes mgcv.json. See make.py.
library(mgcv)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
table <- read.csv(file.path(here, "table.csv"), stringsAsFactors = TRUE)

numbers <- function(x) paste0("[", paste(sprintf("%.15g", as.numeric(x)), collapse = ","), "]")
described <- function(name, model, at) {
  s <- summary(model)
  terms <- predict(model, at, type = "terms", se.fit = TRUE)
  smooth <- grep("^s\\(", colnames(terms$fit))
  curves <- sapply(smooth, function(i) sprintf("{\"fit\":%s,\"se\":%s}", numbers(terms$fit[, i]), numbers(terms$se.fit[, i])))
  sprintf(paste0("\"%s\":{\"edf\":%s,\"p\":%s,\"adjustedR2\":%s,\"deviance\":%s,\"variance\":%s,\"reml\":%s,",
                 "\"parametric\":%s,\"parametricSe\":%s,\"curves\":[%s]}"),
          name, numbers(s$edf), numbers(s$s.table[, "p-value"]), sprintf("%.15g", s$r.sq), sprintf("%.15g", s$dev.expl), sprintf("%.15g", model$sig2),
          sprintf("%.15g", as.numeric(model$gcv.ubre)), numbers(s$p.coeff), numbers(s$se[seq_along(s$p.coeff)]),
          paste(curves, collapse = ","))
}
control <- gam.control(epsilon = 1e-10, newton = list(conv.tol = 1e-10))
ps <- function(...) gam(..., data = table, method = "REML", control = control)
at <- table[c(1, 5, 17, 60, 99), ]
size <- ps(log(ARC) ~ s(log(Params), bs = "ps", k = 10) + s(Architecture, bs = "re"))
several <- ps(ARC ~ s(log(Params), bs = "ps", k = 10) + s(MMLU, bs = "ps", k = 10) + s(Noise, bs = "ps", k = 10) + s(Architecture, bs = "re"))
table$Type <- relevel(table$Type, "fine-tuned")
at <- table[c(1, 5, 17, 60, 99), ]
fixed <- ps(ARC ~ Type + s(log(Params), bs = "ps", k = 10) + s(Architecture, bs = "re"))
by <- ps(ARC ~ Type + s(log(Params), bs = "ps", k = 10, by = Type))
writeLines(paste0("{", paste(described("size", size, at), described("several", several, at), described("fixed", fixed, at), described("by", by, at), sep = ","), "}"),
           file.path(here, "mgcv.json"))
