import ArgumentParser
import Foundation
import OakumAPI
import OakumApp

struct RecycleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recycle",
        abstract: "Replaces one worker, or all of a service one after the other, without losing a request.",
        discussion: """
            Examples:
              oakum recycle registrar -c examples/registration/oakum.yaml
              oakum recycle registrar --worker 3 --state .oakum/registration

            Returns when it is accepted; `oakum status --events 10` tells what came of it.
            """)

    @Argument(help: "The service.") var service: String
    @Option(help: "The number of one worker; without it all are replaced in turn.") var worker: UInt32?
    @OptionGroup var state: StateOptions
    @Flag(help: "Print the outcome as JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            try await perform(.recycle(service: service, worker: worker), state, json: json)
        }
    }
}

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stops all acts at once; watching goes on.",
        discussion: """
            Examples:
              oakum pause -c examples/registration/oakum.yaml
              oakum pause --off -c examples/registration/oakum.yaml
            """)

    @Flag(name: .customLong("off"), help: "Allow acts again.") var allowActs = false
    @OptionGroup var state: StateOptions
    @Flag(help: "Print the outcome as JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            try await perform(.pause(!allowActs), state, json: json)
        }
    }
}

struct MarkDeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mark-deploy",
        abstract: "Tells of a release or another change, so that what goes wrong after it can be traced to it.",
        discussion: """
            A program that takes the place of another is noticed by itself; this is for what shows in no program file:
            a changed configuration, a migration, a feature switched on.

            Examples:
              oakum mark-deploy registrar "1.4.2" -c examples/registration/oakum.yaml
              oakum mark-deploy registrar "new price list" --state .oakum/registration
            """)

    @Argument(help: "The service.") var service: String
    @Argument(help: "What is new, in 1 to 200 characters.") var text: String
    @OptionGroup var state: StateOptions
    @Flag(help: "Print the outcome as JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            try await perform(.markDeploy(service: service, text: text), state, json: json)
        }
    }
}

struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Stops the workers, the keeper and oakum, and waits until they are gone.",
        discussion: """
            Examples:
              oakum down -c examples/registration/oakum.yaml
            """)

    @OptionGroup var state: StateOptions
    @Option(help: "Seconds to wait for the end.") var timeout: Double = 120
    @Flag(help: "Print the outcome as JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            let plane = try state.controlPlane()
            let outcome = try await plane.perform(.down)
            if !json { Terminal.note(outcome.message) }
            try await waitUntilGone(try state.folder())
            json ? try Terminal.json(outcome) : Terminal.line("stopped")
        }
    }

    /// `oakum` holds a lock on its state folder for as long as it lives.
    private func waitUntilGone(_ folder: String) async throws {
        let deadline = ContinuousClock.now + .seconds(timeout)
        while StateFolder.isInUse(folder) {
            guard ContinuousClock.now < deadline else {
                throw Failure(.failed, "it still runs after \(Int(timeout)) s: look at \(folder)/logs")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

private func perform(_ command: ControlCommand, _ state: StateOptions, json: Bool) async throws {
    let outcome = try await state.controlPlane().perform(command)
    json ? try Terminal.json(outcome) : Terminal.line(outcome.message)
}
