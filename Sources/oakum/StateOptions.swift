import ArgumentParser
import Foundation
import OakumAPI
import OakumApp
import OakumRemote

/// Which running `oakum` a command talks to.
struct StateOptions: ParsableArguments {
    @Option(name: [.customShort("c"), .customLong("config")], help: "The oakum.yaml it was started with.")
    var file: String?

    @Option(help: "Its state folder, instead of a configuration.")
    var state: String?

    /// The folder named, or the one of the configuration; without either `oakum.yaml` here, then `.oakum`.
    func folder() throws -> String {
        if let state { return URL(filePath: state).standardizedFileURL.path }
        if let file { return try Self.configuredFolder(file) }
        if FileManager.default.fileExists(atPath: "oakum.yaml") { return try Self.configuredFolder("oakum.yaml") }
        return URL(filePath: ".oakum").standardizedFileURL.path
    }

    private static func configuredFolder(_ file: String) throws -> String {
        do throws(ConfigurationError) {
            return try ConfigurationFile.stateFolder(file)
        } catch {
            throw Failure(.badInput, "\(error)")
        }
    }

    func incidentPlane() throws -> any IncidentPlane {
        RemoteIncidentPlane(socketPath: try folder() + "/oakum.sock")
    }

    func controlPlane() throws -> any ControlPlane {
        RemoteControlPlane(socketPath: try folder() + "/oakum.sock")
    }
}

/// A failure that ends a command: a line on standard error and an exit code.
struct Failure: Error {
    enum Code: Int32 {
        case failed = 1
        case badInput = 2
        case notRunning = 3
        case refused = 4
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: ControlError) {
        switch error {
        case .notRunning: self.init(.notRunning, error.message)
        case .refused: self.init(.refused, error.message)
        case .notFound, .invalid: self.init(.badInput, error.message)
        case .forbidden, .failed: self.init(.failed, error.message)
        }
    }
}

/// Runs a command's work and turns what it throws into a line on standard error and an exit code.
func reportingFailures(_ work: () async throws -> Void) async throws {
    do {
        try await work()
    } catch let failure as Failure {
        Terminal.complain(failure.message)
        throw ExitCode(failure.code.rawValue)
    } catch let error as ControlError {
        let failure = Failure(error)
        Terminal.complain(failure.message)
        throw ExitCode(failure.code.rawValue)
    }
}
