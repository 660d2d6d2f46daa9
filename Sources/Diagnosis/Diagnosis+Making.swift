import OakumModel

extension Diagnosis {
    /// Weighs the observations.
    package init(_ observations: Observations) {
        guard let findings = Findings(observations) else {
            self.init(empty: observations, "the window is empty: nothing can be said")
            return
        }
        guard !findings.readings.isEmpty || observations.verdict != nil else {
            self.init(
                empty: observations,
                "too little data: no signal has \(Reduced.minimum) readings in "
                    + Phrases.duration(observations.until - observations.from))
            return
        }
        self.init(findings)
    }

    private init(empty observations: Observations, _ text: String) {
        self.init(
            outcome: .notEnoughData, firstCause: .unknown, summary: Phrases.sentence(text), hypotheses: [], onsets: [],
            consequences: [], ruledOut: [], notKnown: [text], restartBuys: nil, logs: [], from: observations.from,
            until: observations.until)
    }

    private init(_ findings: Findings) {
        let cases = findings.cases()
        let changed = findings.readings.filter { $0.change != nil }
        let leading = cases.first.flatMap { $0.belief >= Self.leastBelief ? $0 : nil }
        outcome =
            if leading != nil {
                .cause
            } else if findings.isTooThin {
                .notEnoughData
            } else if findings.harm.isEmpty, findings.growth.change == nil || findings.growth.isCleared {
                .nothingWrong
            } else {
                .unknown
            }
        firstCause = leading?.cause ?? (outcome == .nothingWrong ? nil : .unknown)
        let consequences = leading.map { findings.consequences(of: $0) } ?? []
        self.consequences = consequences
        ruledOut = findings.ruledOut(except: leading?.cause, consequences: consequences)
        notKnown = findings.notKnown
        restartBuys = findings.restartBuys
        logs = findings.logs
        from = findings.span.lowerBound
        until = findings.span.upperBound
        hypotheses = cases.map { found in
            Hypothesis(
                cause: found.cause, belief: found.belief, sentence: findings.sentence(found), evidence: found.supports,
                against: found.objections, onset: found.lead?.onset, trigger: found.trigger)
        }
        onsets = changed.compactMap(Onset.init).sorted { $0.at.estimate < $1.at.estimate }
        summary = findings.summary(outcome, leading, consequences, restartBuys)
    }
}

extension Onset {
    fileprivate init?(_ reading: Reading) {
        guard let change = reading.change else { return nil }
        self.init(
            signal: reading.kind, name: reading.name, at: change.onset, isOpen: change.fit.isOpen,
            before: change.before, after: change.after, sentence: Phrases.moved(reading, change))
    }
}

extension Findings {
    /// All causes with a case, the likeliest first; among equals the one that began first.
    func cases() -> [CauseCase] {
        var known = Beliefs()
        known.add(cacheFillCase())
        known.add(memoryCase(known))
        known.add(trafficCase())
        known.add(diskCase())
        known.add(networkCase())
        known.add(descriptorCase(known))
        known.add(hostMemoryCase(known))
        known.add(hostProcessorCase(known))
        known.add(dependencyCase(known))
        known.add(processorCase(known))
        known.add(deployCase(known))
        return known.cases.sorted { left, right in
            // Nearly sure of both: what began first is the first cause.
            if abs(left.belief - right.belief) < 0.03, let one = left.lead, let other = right.lead {
                return one.fit.onset < other.fit.onset
            }
            return left.belief > right.belief
        }
    }

    /// Every signal has so few readings that a change would hardly show.
    var isTooThin: Bool {
        let verdictSaysNothing = growth.verdict == nil || growth.verdict?.code == .notEnoughData
        return verdictSaysNothing && readings.allSatisfy { $0.series.count < 2 * Reduced.minimum && $0.change == nil }
    }

    var restartBuys: Estimate? {
        RestartValue(growth, freshLevel: observations.freshLevel.map { Double($0.bytes) })?.seconds
    }
}
