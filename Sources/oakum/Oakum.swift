import ArgumentParser
import OakumApp

/// The command line: one file per command.
@main
struct Oakum: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "oakum",
        abstract: "Keeps web services from going down because of memory leaks.",
        discussion: """
            Start with a configuration, then look at the console it prints:

              oakum up -c examples/registration/oakum.yaml
              oakum status -c examples/registration/oakum.yaml

            Every command has --help with examples. Exit codes: 0 done, 1 failed, 2 the configuration or the input is \
            wrong, 3 no oakum runs with this state folder, 4 refused for now, 64 wrong usage.
            """,
        version: OakumVersion.current,
        subcommands: [
            UpCommand.self, StatusCommand.self, RecycleCommand.self, PauseCommand.self, DownCommand.self,
            DeployCommand.self, RollbackCommand.self, ReleasesCommand.self, MarkDeployCommand.self, TokenCommand.self,
            HeapCommand.self, IncidentsCommand.self, OnCallCommand.self,
            WhyCommand.self, AttachCommand.self, EvidenceCommand.self, LookCommand.self, KeepBasesCommand.self,
            AnalyzeCommand.self, DrillCommand.self, LoadCommand.self, StressCommand.self, PostmortemCommand.self,
            PlanCommand.self, ArtifactCommand.self, ConfigCommand.self,
        ])
}
