import Foundation
import OakumAPI
import OakumModel
import OakumRemote

/// `oakum up` on the registration service, in a folder of its own under the temporary folder.
final class BenchOakum: Sendable {
    let service = "registrar"
    let folder: String
    let plane: RemoteControlPlane
    private let process: Process

    init(recyclesPerHour: Int) throws {
        let programs = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        folder = "/tmp/oakum-bench-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let yaml = """
            state: \(folder)/s
            console: {listen: "127.0.0.1:0"}
            services:
              - name: registrar
                command: [\(programs)/registrar, --database, \(folder)/registrar.sqlite]
                listen: 127.0.0.1:0
                workers: 2
                memory_budget: 1GiB
                health: {minimum_healthy: 100ms, ready_within: 30s}
                recycle: {minimum_interval: 0s, at_most_per_hour: \(recyclesPerHour)}
            """
        try yaml.write(toFile: folder + "/oakum.yaml", atomically: true, encoding: .utf8)
        plane = RemoteControlPlane(socketPath: folder + "/s/oakum.sock")
        process = Process()
        process.executableURL = URL(filePath: programs + "/oakum")
        process.arguments = ["up", "-c", folder + "/oakum.yaml"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    /// Returns the port of the service.
    func waitUntilServing(workers: Int) async throws -> Int {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        while clock.now < deadline, process.isRunning {
            try await clock.sleep(for: .milliseconds(100))
            do throws(ControlError) {
                let status = try await plane.overview().services[0]
                let serving = status.workers.filter { $0.phase == .serving }.count
                if serving == workers, let port = Int(status.address.split(separator: ":").last ?? "") { return port }
            } catch {
                // Not up yet; the deadline decides.
                continue
            }
        }
        throw BenchError("oakum did not come up; look into \(folder)")
    }

    func stop() async throws {
        _ = try await plane.perform(.down)
        while process.isRunning { try await ContinuousClock().sleep(for: .milliseconds(50)) }
    }

    func remove() {
        if process.isRunning { process.interrupt() }
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            FileHandle.standardError.write(Data("\(folder) is left over: \(error)\n".utf8))
        }
    }
}

/// Why a benchmark could not be run.
struct BenchError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
