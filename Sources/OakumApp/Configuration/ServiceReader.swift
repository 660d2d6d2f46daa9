import AlertRules
import Foundation
import Incidents
import Paging
import StrictYAML

/// Reads one entry of `services`.
struct ServiceReader {
    let folder: URL
    /// Which policies there are.
    let response: ResponseSettings
    /// What is told of a service that says nothing else.
    let alerts: AlertSettings
    var zones: ZoneFolder

    private static let keys = [
        "name", "command", "environment", "directory", "user", "listen", "workers", "memory_budget", "health",
        "recycle", "heap", "log_size", "policy", "runbook", "alerts", "business", "releases",
    ]

    func read(_ value: YAMLValue) throws(YAMLProblem) -> ServiceSettings {
        let mapping = try value.mapping(Self.keys, as: "a service")
        let name = try name(try mapping.require("name"))
        let directory = ConfigurationFile.absolute(try mapping["directory"]?.string() ?? ".", in: folder)
        let health = try mapping["health"]?.mapping(["path", "ready_within", "minimum_healthy"])
        let workers = try mapping["workers"]?.integer(in: 1...256) ?? 2
        let budget = try mapping.require("memory_budget", hint: "the memory one worker may hold, such as 256MiB")
        let budgetBytes = try budget.bytes()
        let user = try mapping["user"]?.string()
        guard budgetBytes >= 1 << 20 else { throw budget.problem("`memory_budget` must be at least 1MiB") }
        return ServiceSettings(
            name: name,
            command: try command(try mapping.require("command", hint: "`command: [program, argument, …]`")),
            environment: try environment(mapping["environment"]),
            directory: directory,
            user: user,
            listen: try ConfigurationFile.address(try mapping.require("listen", hint: "such as 127.0.0.1:8080")),
            workers: workers,
            budgetBytes: budgetBytes,
            healthPath: try path(health?["path"]) ?? "/readyz",
            readyWithin: try health?["ready_within"]?.seconds(in: 1...3_600) ?? 30,
            minimumHealthy: try health?["minimum_healthy"]?.seconds(in: 0...600) ?? 1,
            recycle: try recycle(mapping["recycle"], workers: workers),
            heap: try heap(mapping["heap"], user: user),
            logBytes: try mapping["log_size"]?.bytes() ?? 8 << 20,
            paging: try paging(mapping),
            alerts: try alerts(mapping),
            releases: try mapping["releases"].map { value throws(YAMLProblem) in
                try ReleaseReader(folder: folder).read(value)
            })
    }

    private func paging(_ mapping: YAMLMapping) throws(YAMLProblem) -> ServicePaging {
        var paging = ServicePaging(policy: response.defaultPolicy)
        if let value = mapping["policy"] {
            let name = try value.string()
            let names = response.plan.policies.map(\.name)
            paging.pagesNobody = name == ResponseReader.noPolicy
            guard names.contains(name) || paging.pagesNobody else {
                throw value.problem(
                    "there is no policy `\(name)`",
                    hint: "there are \(names.joined(separator: ", ")); `none` pages nobody")
            }
            paging.policy = paging.pagesNobody ? nil : name
        }
        guard paging.policy != nil || paging.pagesNobody else {
            throw YAMLProblem(
                line: mapping.line, message: "nobody would be paged for the service: it names no policy",
                hint: "`policy: NAME` here, or call one of the policies `default`; `policy: none` if nobody shall be")
        }
        paging.runbook = try mapping["runbook"].map { value throws(YAMLProblem) in try AlertReader.link(value) }
        return paging
    }

    private func alerts(_ mapping: YAMLMapping) throws(YAMLProblem) -> AlertSettings {
        var reader = AlertReader(zones: zones)
        var result = alerts
        if let value = mapping["alerts"] { result = try reader.service(value, base: result, isTop: false) }
        if let value = mapping["business"] { result.business = try reader.business(value) }
        return result
    }

    private func name(_ value: YAMLValue) throws(YAMLProblem) -> String {
        let name = try value.string()
        let allowed = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard allowed, (1...32).contains(name.utf8.count), name.utf8.first != 45 else {
            throw value.problem(
                "`\(name)` cannot be the name of a service", hint: "a–z, 0–9 and -, at most 32 characters")
        }
        return name
    }

    private func path(_ value: YAMLValue?) throws(YAMLProblem) -> String? {
        guard let value else { return nil }
        let path = try value.string()
        let plain = path.utf8.allSatisfy { (33...126).contains($0) }
        guard path.hasPrefix("/"), plain else { throw value.problem("`path` must begin with / and be plain ASCII") }
        return path
    }

    private func command(_ value: YAMLValue) throws(YAMLProblem) -> [String] {
        var words: [String] = []
        for word in try value.list() {
            let text = try word.string()
            guard !text.utf8.contains(0) else { throw word.problem("a word of `command` holds a NUL character") }
            words.append(text)
        }
        guard let program = words.first, !program.isEmpty else { throw value.problem("`command` is empty") }
        words[0] = try executable(program, value)
        return words
    }

    /// A path relative to the file, or a name looked up in PATH.
    private func executable(_ program: String, _ value: YAMLValue) throws(YAMLProblem) -> String {
        let candidates: [String]
        if program.contains("/") {
            candidates = [ConfigurationFile.absolute(program, in: folder)]
        } else {
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
            candidates = path.split(separator: ":").map { "\($0)/\(program)" }
        }
        var isFolder: ObjCBool = false
        for candidate in candidates where FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder) {
            guard !isFolder.boolValue else { continue }
            guard FileManager.default.isExecutableFile(atPath: candidate) else {
                throw value.problem("\(candidate) is not executable", hint: "chmod +x \(candidate)")
            }
            return candidate
        }
        let place = program.contains("/") ? "there is no file \(candidates[0])" : "`\(program)` is not in PATH"
        let built = program.contains(".build/")
        throw value.problem(place, hint: built ? "build it first: make build" : "check `command`")
    }

    private func environment(_ value: YAMLValue?) throws(YAMLProblem) -> [String: String] {
        guard let value else { return [:] }
        var result: [String: String] = [:]
        for (key, word) in try value.entries() {
            let text = try word.string()
            guard !key.isEmpty, !key.contains("="), !key.utf8.contains(0), !text.utf8.contains(0) else {
                throw word.problem("`\(key)` cannot be the name of an environment variable")
            }
            guard !key.hasPrefix("LISTEN_"), key != "NOTIFY_SOCKET" else {
                throw word.problem("`\(key)` is set by the keeper", hint: "leave it out")
            }
            result[key] = text
        }
        return result
    }

    private func heap(_ value: YAMLValue?, user: String?) throws(YAMLProblem) -> HeapSettings {
        var result = HeapSettings()
        guard let value else { return result }
        let mapping = try value.mapping(["sampler", "sample_every", "folder", "readable", "symbols"])
        result.sampler = try mapping["sampler"]?.bool() ?? true
        result.readable = try mapping["readable"]?.bool() ?? false
        if let every = mapping["sample_every"] {
            result.sampleEveryBytes = try every.bytes()
            guard (1 << 10...1 << 30).contains(result.sampleEveryBytes) else {
                throw every.problem("`sample_every` must be in 1KiB...1GiB", hint: "512KiB costs next to nothing")
            }
        }
        if let path = mapping["folder"] { result.folder = ConfigurationFile.absolute(try path.string(), in: folder) }
        for entry in try mapping["symbols"]?.list() ?? [] {
            let path = ConfigurationFile.absolute(try entry.string(), in: folder)
            guard !path.contains(":") else {
                throw entry.problem("a folder of `symbols` cannot have a colon in its name")
            }
            result.symbols.append(path)
        }
        guard !result.sampler || user == nil || result.folder != nil else {
            throw value.problem(
                "workers of another user cannot write into the state folder",
                hint: "`folder: /run/…`, a folder which that user may write to")
        }
        return result
    }

    private func recycle(_ value: YAMLValue?, workers: Int) throws(YAMLProblem) -> RecycleSettings {
        var result = RecycleSettings()
        result.capacityFloor = max(1, workers - 1)
        guard let value else { return result }
        let keys = ["at_percent", "lead", "minimum_interval", "at_most_per_hour", "capacity_floor", "drain_deadline"]
        let mapping = try value.mapping(keys)
        if let share = mapping["at_percent"] { result.atPercent = try share.number(in: 10...100) }
        if let lead = mapping["lead"] { result.lead = try lead.seconds() }
        if let interval = mapping["minimum_interval"] { result.minimumInterval = try interval.seconds() }
        if let rate = mapping["at_most_per_hour"] { result.atMostPerHour = try rate.integer(in: 1...3_600) }
        if let floor = mapping["capacity_floor"] { result.capacityFloor = try floor.integer(in: 0...workers) }
        if let deadline = mapping["drain_deadline"] { result.drainDeadline = try deadline.seconds(in: 0...3_600) }
        return result
    }
}
