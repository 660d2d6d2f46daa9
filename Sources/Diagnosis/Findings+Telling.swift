import OakumModel

/// What is said about the facts once the causes are weighed.
extension Findings {
    // MARK: - Consequences

    /// The signals that changed after the cause, or with it, in a way it can bring about.
    func consequences(of cause: CauseCase) -> [Consequence] {
        let own = ownSignals(of: cause.cause)
        let source = readings.first { own.contains($0.kind) && $0.change != nil } ?? growth.reading
        var found: [Consequence] = []
        for reading in readings {
            guard let change = reading.change, !own.contains(reading.kind), reading.kind != .cpuPerRequest,
                cause.cause.mayChange(reading.kind, up: change.isUp)
            else { continue }
            // What surely began before is no consequence. A leak that the verdict alone knows began at some time before.
            if let lead = cause.lead, lead.precedes(change) < 0.1 { continue }
            let moves = source.flatMap { CoMovement(reading, with: $0) }
            let lag = cause.lead.map { change.lag(behind: $0) }
            found.append(
                Consequence(
                    symptom: reading.kind, name: reading.name, of: cause.cause, lag: lag, inStep: moves?.levels,
                    sentence: Phrases.moved(reading, change) + after(lag, cause, source)
                        + inStep(reading, moves, source)))
        }
        return found.sorted { ($0.lag?.estimate ?? 0) < ($1.lag?.estimate ?? 0) }
    }

    private func ownSignals(of cause: CauseCode) -> Set<SignalKind> {
        switch cause {
        case .memory, .cacheFill: [.memory]
        case .cpu, .cpuBoundDeploy: [.cpu, .cpuPerRequest]
        case .trafficSurge: [.requests]
        case .slowDependency:
            change(.dependencyLatency) != nil || change(.dependencyErrors) != nil
                ? [.dependencyLatency, .dependencyErrors] : [.latency]
        case .diskFull: [.diskFree]
        case .fileDescriptors: [.fileDescriptors]
        case .network: [.network]
        case .hostMemory: [.hostMemory, .memoryPressure]
        case .hostProcessor: [.cpuPressure]
        case .deploy, .unknown: []
        }
    }

    private func after(_ lag: Estimate?, _ cause: CauseCase, _ source: Reading?) -> String {
        guard let lag, let source else { return "" }
        let what = Phrases.subject(source.kind, source.name)
        if lag.low > 0 {
            return ", \(Phrases.duration(lag.estimate)) after \(what) (\(Phrases.durations(lag.low, lag.high)))"
        }
        return ", at the same time as \(what) as far as readings tell"
    }

    private func inStep(_ reading: Reading, _ moves: CoMovement?, _ source: Reading?) -> String {
        if reading.kind == .cpu, let work = workInStep { return ", in step with \(work)" }
        guard let moves, let source else { return "" }
        if let rest = moves.fluctuations {
            return ", and small ups and downs are shared (r \(Phrases.decimal(rest, 2)))"
        }
        let what = Phrases.subject(source.kind, source.name)
        return abs(moves.levels) > 0.8 ? ", in step with \(what) (r \(Phrases.decimal(moves.levels, 2)))" : ""
    }

    // MARK: - Sentences

    /// A cause in one sentence.
    func sentence(_ found: CauseCase) -> String {
        let since = found.lead.map { lead in
            lead.fit.isOpen ? "" : ", since \(Phrases.duration(span.upperBound - lead.fit.onset)) ago"
        }
        let trigger = found.trigger.map { ", with release \($0.release)" } ?? ""
        let main: String
        switch found.cause {
        case .memory:
            let site = observations.heap.first.map { top in
                ", allocated in \(top.site)" + (top.type.map { " (\($0))" } ?? "")
                    + (top.cache.map { ", \($0.words)" } ?? "")
            }
            main =
                "memory grows without a bound in sight"
                + (growth.slope.map { ", by \(Phrases.rate($0.estimate))" } ?? "")
                + (site ?? "")
        case .cacheFill: main = "cache fill: " + (found.supports.first ?? "a cache grows towards its bound")
        case .cpu, .cpuBoundDeploy:
            main =
                found.cause == .cpu
                ? "requests cost more CPU than before" : "a CPU-bound deploy: requests cost more CPU"
        case .deploy: main = "a deploy broke something that no resource shows"
        case .unknown: main = "the cause is not known"
        default: main = found.cause.words + (found.supports.first.map { ": " + $0 } ?? "")
        }
        return Phrases.sentence(main + trigger + (since ?? ""))
    }

    func summary(
        _ outcome: Diagnosis.Outcome, _ leading: CauseCase?, _ consequences: [Consequence], _ restart: Estimate?
    ) -> String {
        switch outcome {
        case .notEnoughData: return "Too little data to tell what came first"
        case .nothingWrong:
            let watched = Set(readings.map(\.kind))
            let names = SignalKind.allCases.filter { watched.contains($0) && $0 != .cpuPerRequest }
            return "Nothing that matters changed in \(Phrases.duration(span.upperBound - span.lowerBound)) in "
                + Phrases.list(names.map { Phrases.subject($0) })
        case .unknown:
            let first = (harm.isEmpty ? readings.filter { $0.change != nil } : harm).min { left, right in
                (left.change?.fit.onset ?? 0) < (right.change?.fit.onset ?? 0)
            }
            let text = first.flatMap { reading in reading.change.map { Phrases.moved(reading, $0) } }
            return Phrases.sentence((text.map { "\($0) first; " } ?? "") + "the cause is not known")
        case .cause: break
        }
        guard let leading else { return "" }
        var parts: [String] = []
        let told = consequences.filter { [.cpu, .latency, .errors, .memory].contains($0.symptom) }
        if let first = told.first(where: { $0.symptom == .cpu }) ?? told.first {
            parts.append(short(first, leading))
        }
        parts.append(
            (leading.cause == .cacheFill ? sentence(leading) : "\(leading.cause.words) is the cause")
                + (leading.trigger.map { ", since release \($0.release)" } ?? ""))
        if let restart, leading.cause == .memory {
            parts.append("a restart buys \(Phrases.duration(restart.estimate))")
        }
        return Phrases.sentence(parts.joined(separator: "; "))
    }

    /// "CPU rose 4 min after memory, in step with entries scanned".
    private func short(_ consequence: Consequence, _ leading: CauseCase) -> String {
        let subject = Phrases.subject(consequence.symptom, consequence.name)
        let own = ownSignals(of: leading.cause)
        let source = readings.first { own.contains($0.kind) }.map { Phrases.subject($0.kind, $0.name) }
        let isUp = change(consequence.symptom) != nil
        var text = "\(subject) \(isUp ? "rose" : "fell")"
        if let lag = consequence.lag, let source {
            text += lag.low > 0 ? " \(Phrases.duration(lag.estimate)) after \(source)" : " with \(source)"
        }
        if consequence.symptom == .cpu, let work = workInStep { text += ", in step with \(work)" }
        return text
    }
}
