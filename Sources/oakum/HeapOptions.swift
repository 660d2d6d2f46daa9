import ArgumentParser
import Foundation
import OakumAPI
import OakumApp
import OakumModel

/// Whose heap a command looks at.
struct HeapOptions: ParsableArguments {
    @Argument(help: "A service (SERVICE or SERVICE/WORKER of a running oakum), a PID, or a heap FILE.")
    var target: String

    @OptionGroup var state: StateOptions
    @Option(
        help: ArgumentHelp(
            "Where unstripped copies of programs, or their debug files, lie; may be repeated.", valueName: "folder"))
    var symbols: [String] = []

    /// A file when there is one of that name, a process when it is a number, else a service.
    func open() async throws -> HeapTarget {
        var target = try await find()
        target.symbolFolders = symbols + target.symbolFolders
        return target
    }

    private func find() async throws -> HeapTarget {
        do {
            // Names of services hold no dots and do not begin with a slash.
            if target.hasPrefix("/") || target.contains(".") { return try HeapTarget(file: target) }
            if let pid = Int32(target) { return try HeapTarget(pid: pid) }
            if FileManager.default.fileExists(atPath: target) { return try HeapTarget(file: target) }
            return try HeapTarget(pid: try await worker())
        } catch let problem as HeapTarget.Problem {
            throw Failure(.badInput, problem.description)
        }
    }

    /// The named worker, or the one of the service that holds most memory.
    private func worker() async throws -> Int32 {
        let parts = target.split(separator: "/", maxSplits: 1).map(String.init)
        let services = try await state.controlPlane().overview().services
        guard let service = services.first(where: { $0.name == parts.first }) else {
            let known = services.map(\.name).joined(separator: ", ")
            throw Failure(.badInput, "no service, process or file `\(target)`; the services are: \(known)")
        }
        let running = service.workers.filter { $0.process != nil }
        let number = parts.count > 1 ? UInt32(parts[1]) : nil
        let chosen =
            parts.count > 1
            ? running.first { $0.number == number }
            : running.max { ($0.latest?.rss.bytes ?? 0) < ($1.latest?.rss.bytes ?? 0) }
        guard let process = chosen?.process else {
            let known = running.map { "\(service.name)/\($0.number)" }.joined(separator: ", ")
            throw Failure(
                .badInput, "there is no running worker \(target); there are: \(known.isEmpty ? "none" : known)")
        }
        return process.pid
    }
}
