import ArgumentParser
import OakumApp

/// The command line: one file per command.
@main
struct Oakum: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "oakum",
        abstract: "Keeps web services from going down because of memory leaks.",
        version: OakumVersion.current)
}
