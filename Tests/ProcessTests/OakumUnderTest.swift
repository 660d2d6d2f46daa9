import Foundation
import OakumAPI
import OakumModel
import OakumRemote
import OakumTestKit

/// A real `oakum up` with real workers in a folder of its own. Everything it started is killed when the scope ends.
struct OakumUnderTest {
    let folder: TemporaryFolder
    let process: ChildProcess
    let console: String
    let service: String

    var state: String { folder.file("s") }
    var plane: RemoteControlPlane { RemoteControlPlane(socketPath: state + "/oakum.sock") }

    /// Asks until the answer fits.
    func overview(
        _ what: String, within limit: Duration = .seconds(60), where fits: (Overview) -> Bool
    ) async throws -> Overview {
        try await eventually(what, within: limit) {
            let overview = try await plane.overview()
            return fits(overview) ? overview : nil
        }
    }

    func allServing(_ count: Int = 2) async throws -> [WorkerStatus] {
        let overview = try await overview("\(count) workers that serve") { overview in
            overview.services[0].workers.count == count
                && overview.services[0].workers.allSatisfy { $0.phase == .serving }
        }
        return overview.services[0].workers
    }

    /// Waits for an event that fits, in the whole journal.
    func event(
        _ what: String, within limit: Duration = .seconds(60), where fits: (Event) -> Bool
    ) async throws -> Event {
        try await eventually(what, within: limit) {
            try await plane.events(EventQuery(limit: 1_000)).map(\.event).first(where: fits)
        }
    }
}

/// What a test wants of its `oakum.yaml`.
struct TestConfiguration {
    var program = "registrar"
    /// `{state}` stands for the state folder.
    var arguments = ["--database", "{state}/registrar.sqlite", "--hash-memory", "7MiB", "--hash-passes", "1"]
    var listen = "127.0.0.1:0"
    var workers = 2
    var budget = "512MiB"
    var recycle = "{minimum_interval: 0s, at_most_per_hour: 3600, drain_deadline: 10s}"
    var heap: String?
    var health = "{minimum_healthy: 100ms, ready_within: 30s}"
    /// Nil: the default one.
    var policy: String?
    /// Nil: it takes none. `{state}` stands for the state folder.
    var releases: String?
    /// Further keys of the file, from the first column on.
    var more = ""
    /// Of `oakum` itself, and of what it starts.
    var environment: [String: String] = [:]

    private func released(_ state: String) -> String {
        releases.map { "\n    releases: \($0.replacingOccurrences(of: "{state}", with: state))" } ?? ""
    }

    func yaml(state: String) throws -> String {
        let path = program.hasPrefix("/") ? program : try builtExecutable(program)
        let words = ([path] + arguments).map { "\"\($0.replacingOccurrences(of: "{state}", with: state))\"" }
        return """
            state: \(state)
            console:
              listen: 127.0.0.1:0
            services:
              - name: registrar
                command: [\(words.joined(separator: ", "))]
                listen: \(listen)
                workers: \(workers)
                memory_budget: \(budget)
                health: \(health)
                recycle: \(recycle)\(heap.map { "\n    heap: \($0)" } ?? "")\(policy.map { "\n    policy: \($0)" } ?? "")\(released(state))
            \(more)
            """
    }
}

/// Starts `oakum up` and waits until it has told its addresses.
func withOakum<Result>(
    _ configuration: TestConfiguration = TestConfiguration(), extra: [String] = [],
    _ body: (OakumUnderTest) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        try await withOakum(configuration, extra: extra, in: folder, body)
    }
}

/// The same in a folder that may have been used before.
func withOakum<Result>(
    _ configuration: TestConfiguration = TestConfiguration(), extra: [String] = [], in folder: TemporaryFolder,
    keepingWorkers: Bool = false, _ body: (OakumUnderTest) async throws -> Result
) async throws -> Result {
    let file = folder.file("oakum.yaml")
    try configuration.yaml(state: folder.file("s")).write(toFile: file, atomically: true, encoding: .utf8)
    let arguments = ["up", "-c", file] + extra
    return try await withProcess(builtExecutable("oakum"), arguments, environment: configuration.environment) {
        process in
        defer { if !keepingWorkers { killEverything(naming: folder.path, sparing: process.pid) } }
        let console = try await process.line(containing: "console: ", within: .seconds(60))
        let service = try await process.line(containing: "service registrar: ", within: .seconds(60))
        return try await body(
            OakumUnderTest(
                folder: folder, process: process, console: String(console.dropFirst("console: ".count)),
                service: String(service.dropFirst("service registrar: ".count))))
    }
}

/// Kills whatever carries the folder in its command line: the keeper leads a session of its own, workers outlive `oakum`.
func killEverything(naming folder: String, sparing spared: Int32 = -1) {
    for _ in 0..<3 {
        for pid in processes(naming: folder) where pid != spared && pid != getpid() { kill(pid, SIGKILL) }
    }
}

/// Processes whose command line contains the text.
func processes(naming text: String) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []  // no /proc, nothing to find
    return names.compactMap(Int32.init).filter { pid in
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
        return String(decoding: data, as: UTF8.self).contains(text)
    }
}
