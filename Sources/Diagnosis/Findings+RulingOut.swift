import OakumModel

/// What is ruled out, and by which number. What was not measured is not ruled out but not known.
extension Findings {
    func ruledOut(except cause: CauseCode?, consequences: [Consequence]) -> [RuledOut] {
        let symptoms = Set(consequences.map(\.symptom))
        var found: [RuledOut] = []
        func add(_ what: String, _ text: String?, unless causes: CauseCode...) {
            guard let text, !causes.contains(where: { $0 == cause }) else { return }
            found.append(RuledOut(what: what, because: text))
        }
        add("memory", steadyMemory, unless: .memory, .cacheFill)
        add("host memory", healthyHostMemory, unless: .hostMemory)
        add("disk", healthyDisk, unless: .diskFull)
        add("network", healthyNetwork, unless: .network)
        add("processors of the host", healthyProcessors, unless: .hostProcessor)
        add("traffic", unchanged(.requests), unless: .trafficSurge)
        add("dependencies", healthyDependencies, unless: .slowDependency)
        add("descriptors", healthyDescriptors, unless: .fileDescriptors)
        add("CPU", symptoms.contains(.cpu) ? nil : unchanged(.cpu), unless: .cpu, .cpuBoundDeploy, .hostProcessor)
        if let deploys = observations.deploys, deploys.allSatisfy({ !span.contains($0.seconds) }) {
            add("deploys", "none in \(Phrases.duration(span.upperBound - span.lowerBound))", unless: .deploy)
        }
        return found
    }

    private var steadyMemory: String? {
        guard let reading = growth.reading, growth.change == nil, !growth.isLeak else { return nil }
        return "\(Phrases.amount(reading.latest, of: .memory)), no growth"
            + (growth.isCleared ? ", held to be \(growth.verdict?.code.rawValue ?? "")" : "")
    }

    private var healthyHostMemory: String? {
        let available = reading(.hostMemory)
        let pressure = reading(.memoryPressure)
        if let available, available.worst < 0.15 { return nil }
        if let pressure, pressure.worst >= 10 { return nil }
        let parts = [
            available.map { "\(Phrases.percent($0.worst)) available at worst" },
            pressure.map { "pressure at most \(Phrases.amount($0.worst, of: .memoryPressure))" },
        ].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private var healthyDisk: String? {
        let volumes = readings.filter { $0.kind == .diskFree }
        let pressure = reading(.ioPressure)
        guard volumes.allSatisfy({ $0.worst > 0.05 }), pressure.map({ $0.worst < 20 }) ?? true else { return nil }
        let worst = volumes.min { $0.worst < $1.worst }
        let parts = [
            worst.map { "\(Phrases.percent($0.worst)) free\($0.name.map { " on \($0)" } ?? "") at worst" },
            pressure.map { "pressure at most \(Phrases.amount($0.worst, of: .ioPressure))" },
        ].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private var healthyNetwork: String? {
        guard let reading = reading(.network), reading.change?.isUp != true, reading.typical < 0.01 else { return nil }
        return "\(Phrases.percent(reading.typical)) of segments lost, as before"
    }

    private var healthyProcessors: String? {
        guard let reading = reading(.cpuPressure), reading.change?.isUp != true, reading.worst < 30 else { return nil }
        return "pressure at most \(Phrases.amount(reading.worst, of: .cpuPressure))"
    }

    private var healthyDependencies: String? {
        let answers = readings.filter { $0.kind == .dependencyLatency }
        let failures = readings.filter { $0.kind == .dependencyErrors }
        guard !(answers + failures).isEmpty, (answers + failures).allSatisfy({ $0.change?.isUp != true }) else {
            return nil
        }
        let parts =
            answers.map { "\($0.name.map { $0 + " " } ?? "")answers in \(Phrases.time($0.typical))" }
            + failures.map { "\($0.name.map { $0 + " " } ?? "")fails \(Phrases.percent($0.typical)) of calls" }
        return parts.prefix(4).joined(separator: ", ") + ", as before"
    }

    private var healthyDescriptors: String? {
        guard let reading = reading(.fileDescriptors), reading.change?.isUp != true else { return nil }
        guard let limit = observations.descriptorLimit else {
            return "\(Phrases.decimal(reading.typical, 0)) open, no growth"
        }
        guard reading.worst < 0.8 * Double(limit) else { return nil }
        return "at most \(Phrases.decimal(reading.worst, 0)) of \(limit) open"
    }

    /// "49.8/s, from 49.6/s in the first half to 50.1/s in the second (+1 %)".
    private func unchanged(_ kind: SignalKind) -> String? {
        guard let reading = reading(kind), reading.change == nil else { return nil }
        let middle = (span.lowerBound + span.upperBound) / 2
        func level(_ part: Reduced) -> Double? {
            let sorted = part.values.sorted()
            return sorted.isEmpty ? nil : sorted[sorted.count / 2]
        }
        guard let before = level(reading.series.within(span.lowerBound...middle)),
            let after = level(reading.series.within(middle...span.upperBound))
        else { return nil }
        return
            "\(Phrases.amount(before, of: kind)) in the first half, \(Phrases.amount(after, of: kind)) in the second "
            + "(\(Phrases.relative(before, after)))"
    }

    // MARK: - Not known

    var notKnown: [String] {
        let known = Set(readings.map(\.kind))
        var found: [String] = []
        let asked: [(kinds: [SignalKind], words: String)] = [
            ([.memory], "memory of the worker"), ([.cpu], "CPU"), ([.latency], "latency"),
            ([.errors], "failed requests"),
            ([.requests], "the request rate"), ([.fileDescriptors], "open descriptors"),
            ([.hostMemory, .memoryPressure], "memory of the host"), ([.diskFree, .ioPressure], "disk"),
            ([.network], "network"), ([.dependencyLatency, .dependencyErrors], "outside services"),
        ]
        let missing = asked.filter { known.isDisjoint(with: $0.kinds) }.map(\.words)
        if !missing.isEmpty { found.append("no readings, or too few, of " + Phrases.list(missing)) }
        if observations.deploys == nil { found.append("nobody tells of releases") }
        if observations.restarts == nil { found.append("whether the worker was restarted is not known") }
        if observations.verdict == nil || observations.verdict?.code == .notEnoughData {
            found.append("there is no verdict on memory yet")
        }
        return found
    }
}
