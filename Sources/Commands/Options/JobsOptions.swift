import ArgumentParser

/// How many jobs are done at once.
package struct JobsOptions: ParsableArguments {
  package init() {}

  @Option(
    parsing: .unconditional,
    help:
      "Jobs (searches, trainings) side by side, as processes that share the threads; numbers are those of one after the other."
  )
  package var jobs: Int = 1

  // Set by the process that shares the work out.
  @Option(help: ArgumentHelp("Do this part of the plan alone.", visibility: .private))
  package var part: String?
}
