import Glibc
package import Spawning

/// Runs a program for as long as the scope lasts. It leads a process group of its own, and the whole group is killed at
/// the end. It inherits standard input from nowhere, no other descriptor, and the environment of the test plus
/// `environment` (an empty value removes a variable).
package func withProcess<Result>(
    _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
    _ body: (ChildProcess) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let process = try ChildProcess.start(
            executable, arguments, environment: environment, outputPath: folder.file("output"))
        defer { process.killGroup() }
        return try await body(process)
    }
}

/// See `withProcess`.
package final class ChildProcess: Sendable {
    package typealias Exit = SpawnedProcess.Exit

    private let process: SpawnedProcess
    package var pid: Int32 { process.pid }

    private init(_ process: SpawnedProcess) {
        self.process = process
    }

    /// What it has written so far to standard output and standard error, in the order of writing.
    package func output() -> String {
        let descriptor = open(process.outputPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    /// Waits until it has written a line that contains the text, and returns the line.
    /// - Throws: `TestKitError` with the whole output when the process ends without it or the time is over.
    package func line(containing text: String, within limit: Duration = .seconds(20)) async throws -> String {
        do {
            return try await eventually("a line with \"\(text)\"", within: limit) {
                let ended = exitNow() != nil
                let found = output().split(separator: "\n").first { $0.contains(text) }
                if found == nil, ended { throw Ended() }
                return found.map(String.init)
            }
        } catch {
            throw TestKitError("\(error); the process wrote:\n\(output())")
        }
    }

    package func send(_ signal: Int32) {
        process.send(signal)
    }

    /// Waits for its end.
    /// - Throws: `TestKitError` with the whole output when the time is over.
    package func waitForExit(within limit: Duration = .seconds(20)) async throws -> Exit {
        do {
            return try await eventually("process \(pid) to end", within: limit) { exitNow() }
        } catch {
            throw TestKitError("\(error); the process wrote:\n\(output())")
        }
    }

    /// How it ended; nil while it runs.
    package func exitNow() -> Exit? { process.exitNow() }

    private struct Ended: Error, CustomStringConvertible {
        var description: String { "the process has ended" }
    }

    fileprivate func killGroup() {
        process.killGroup()
    }

    fileprivate static func start(
        _ executable: String, _ arguments: [String], environment: [String: String], outputPath: String
    ) throws -> ChildProcess {
        do {
            let changes = environment.mapValues { $0.isEmpty ? nil : Optional($0) }
            return ChildProcess(
                try SpawnedProcess([executable] + arguments, environment: changes, outputPath: outputPath))
        } catch {
            throw TestKitError(error.reason)
        }
    }
}
