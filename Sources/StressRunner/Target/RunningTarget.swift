import CLinux
import Dispatch
import Foundation
import Glibc
import LoadGenerator
import ProcessReadings
import Spawning

/// The program under test, started with the allocation sampler in it.
final class RunningTarget: Sendable {
    /// What the sampler is asked for.
    enum Sampling: Sendable {
        /// An exact count of bytes in use, and hardly any samples.
        case count
        /// Every allocation, to name what stays.
        case everything
    }

    let process: SpawnedProcess
    let member: ProcessFamily.Member
    let address: LoadTarget
    let variables: [String: String]
    let logPath: String
    /// What everything of the run carries in its environment.
    let marker: String
    private let heapFolder: String

    private init(
        process: SpawnedProcess, member: ProcessFamily.Member, address: LoadTarget, variables: [String: String],
        logPath: String, marker: String, heapFolder: String
    ) {
        (self.process, self.member, self.address, self.variables) = (process, member, address, variables)
        (self.logPath, self.marker, self.heapFolder) = (logPath, marker, heapFolder)
    }

    /// Starts the program in a folder of its own and waits until it is ready.
    /// - Parameters:
    ///   - folder: exists and is empty.
    ///   - marker: what every process it starts carries in its environment.
    ///   - sampler: path of `liboakumheap.so`; nil: resident memory is all that is read.
    static func start(
        _ target: StressTarget, in folder: String, sampler: String?, sampling: Sampling, marker: String
    ) async throws(StressProblem) -> RunningTarget {
        let port = try StressProblem.settingUp(LoopbackPort.free)
        let socket = "\(folder)/s"
        let variables = ["port": "\(port)", "folder": folder, "socket": socket]
        var words = fill(target.words, variables)
        words[0] = try program(words[0])
        var environment: [String: String?] = [ScratchFolder.marker: marker]
        for (key, value) in target.environment { environment[key] = fill([value], variables)[0] }
        if let sampler { environment.merge(Self.environment(sampler, folder, sampling)) { own, _ in own } }
        let process = try StressProblem.settingUp { () throws(SpawnError) in
            try SpawnedProcess(words, environment: environment, outputPath: "\(folder)/log")
        }
        let running = RunningTarget(
            process: process, member: .init(pid: process.pid, startTicks: linux_start_ticks(process.pid)),
            address: target.usesSocket ? LoadTarget(socketPath: socket) : LoadTarget(port: port), variables: variables,
            logPath: "\(folder)/log", marker: marker, heapFolder: folder)
        do throws(StressProblem) {
            try await running.waitUntilReady(target)
        } catch {
            await running.stop()
            throw error
        }
        return running
    }

    /// Python's own allocator keeps small objects from malloc; the variable gives them back to it. Harmless to others.
    private static func environment(_ sampler: String, _ folder: String, _ sampling: Sampling) -> [String: String?] {
        var result: [String: String?] = [
            "LD_PRELOAD": sampler, "OAKUM_HEAP_FILE": "\(folder)/heap.%p", "OAKUM_HEAP_QUIET": "1",
            "OAKUM_HEAP_PTRACER": "any", "PYTHONMALLOC": "malloc",
        ]
        switch sampling {
        case .count:
            result["OAKUM_HEAP_MEAN_BYTES"] = "65536"
            result["OAKUM_HEAP_ERROR_BYTES"] = "64"
        case .everything: result["OAKUM_HEAP_MODE"] = "exact"
        }
        return result
    }

    func heapFile(of pid: Int32) -> String { "\(heapFolder)/heap.\(pid)" }

    /// How it ended; nil while it runs.
    var end: String? { process.exitNow().map { "the program ended with \($0)" } }

    /// SIGTERM, then SIGKILL after three seconds.
    func stop() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [process] in
                process.send(SIGTERM)
                _ = process.waitForExit(milliseconds: 3_000)
                process.killGroup()
                continuation.resume()
            }
        }
    }

    private func waitUntilReady(_ target: StressTarget) async throws(StressProblem) {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(target.readySeconds)
        var latest: Int?
        while clock.now < deadline {
            if let end { throw .setUp("\(end) before it was ready. It wrote:\n\(TextFile.tail(logPath))") }
            if Task.isCancelled { throw .cancelled }
            let status = await HTTPProbe.status(of: target.readyPath ?? "/", at: address, timeoutSeconds: 1)
            if let status, target.readyPath == nil || (200..<400).contains(status) { return }
            latest = status ?? latest
            if target.readyPath == nil, accepts() { return }
            do {
                try await clock.sleep(for: .milliseconds(20))
            } catch {
                throw .cancelled
            }
        }
        throw .setUp(notReady(target, latest))
    }

    /// - Parameter status: of the last answer; nil when there was none.
    private func notReady(_ target: StressTarget, _ status: Int?) -> String {
        let place = address.socketPath ?? "127.0.0.1:\(address.port)"
        let reason =
            status.map { "\(target.readyPath ?? "/") was answered \($0). Is that the path that tells it (--ready)?" }
            ?? "nothing answered at \(place). Does it listen there ({{port}} or {{socket}} in its arguments)?"
        return """
            the program was not ready after \(Int(target.readySeconds)) s: \(reason) It wrote:
            \(TextFile.tail(logPath))
            """
    }

    /// Somebody accepts connections there, whatever they speak.
    private func accepts() -> Bool {
        if let path = address.socketPath {
            // Its file is there before it listens.
            var place = linux_address()
            guard linux_unix_address(path, &place) == 0 else { return false }
            let descriptor = linux_connect_begin(&place)
            guard descriptor >= 0 else { return descriptor == -EAGAIN }
            close(descriptor)
            return true
        }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(self.address.port)).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    static func fill(_ words: [String], _ variables: [String: String]) -> [String] {
        words.map { word in
            variables.reduce(word) { $0.replacingOccurrences(of: "{{\($1.key)}}", with: $1.value) }
        }
    }

    /// The path of a program: as it stands with a slash, else from PATH.
    static func program(_ name: String) throws(StressProblem) -> String {
        if name.contains("/") {
            guard access(name, X_OK) == 0 else { throw .setUp("there is no program at \(name) (build it first)") }
            return name
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let candidates: [String] = path.split(separator: ":").map { "\($0)/\(name)" }
        let found = candidates.first { access($0, X_OK) == 0 }
        guard let found else { throw .setUp("there is no program `\(name)` in PATH") }
        return found
    }
}
