"""Planning with a model: visual model-predictive control, and how often it succeeds.

bin.py is the world that is acted in, tasks.py what is to be done there; space.py says what a push
is, planners.py searches over pushes, predictors.py says what a push would do: a video model, the
simulator itself, or nothing at all. control.py puts them together; report.py prints the table,
film.py shows a task, folder.py plans from own frames. docs/planning.md has the figures."""
