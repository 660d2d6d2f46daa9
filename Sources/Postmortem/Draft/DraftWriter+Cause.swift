import OakumModel

extension DraftWriter {
    var rootCause: String {
        paragraphs([causeSentence, leakList, chain, verdictNumbers, otherSites, consequences])
    }

    private var causeSentence: String {
        let cause = evidence.cause.map { "Diagnosis\(belief): \(Markdown.sentence($0.summary))" }
        guard let leak = reading.leak else {
            let named = cause ?? "**The cause was not named.**"
            let site = reading.isLeak ? "Where the memory is allocated was not found out" : nil
            let why = facts.treatment?.samplesHeap == false ? ": the workers did not carry the sampler." : "."
            return sentences([named, site.map { $0 + why }])
        }
        let holder = reading.holder.map { ", because \(Markdown.code($0)) keeps it" } ?? ""
        return sentences([
            "Memory that \(Markdown.code(leak.function)) allocates is not released\(holder).", cause,
        ])
    }

    private var belief: String {
        guard let first = evidence.cause?.ranked.first else { return "" }
        return ", with a belief of \(Amount.share(first.belief))"
    }

    private var leakList: String? {
        guard let leak = reading.leak else { return nil }
        let place = leak.file.map { file in Names.path(file) + (leak.line.map { ":\($0)" } ?? "") }
        let neverFreed = leak.neverFreed.map { "\(Amount.shares($0)) of its bytes are never freed" }
        let alive = "\(ByteCount(leak.liveBytes)), \(Amount.share(leak.share)) of what lives in the worker"
        let cache = leak.cache.map { ["**Bounded cache:** \(Markdown.text($0.words))"] } ?? []
        return Markdown.list(
            [
                "**Site:** \(Markdown.code(leak.function))",
                "**File and line:** \(place.map { Markdown.code($0) } ?? "not known: the program has no debug information")",
                "**Type:** \(leak.type.map { Markdown.code($0) } ?? "not known")",
                "**Alive:** \(alive)" + (neverFreed.map { "; \($0)" } ?? ""),
                "**Fingerprint:** \(Markdown.code(leak.fingerprint))",
            ] + cache)
    }

    /// From the root to what leaks, one holder a line.
    private var chain: String? {
        guard let leak = reading.leak else { return nil }
        guard !leak.chain.isEmpty else { return "**Holder chain:** not found." }
        let lines = leak.chain.prefix(30).enumerated().map { index, name in
            "\(index + 1). \(Markdown.code(name))" + (index == 0 ? " (the root)" : "")
        }
        return "**Holder chain**, from the root to what leaks:\n\n" + lines.joined(separator: "\n")
    }

    private var verdictNumbers: String? {
        guard let verdict = evidence.verdict else { return nil }
        let who = evidence.worker.map { worker in incident.service.map { "\($0)/\(worker)" } ?? "worker \(worker)" }
        var items = ["**Verdict:** \(Names.verdict(verdict.code))" + (who.map { " on \(Markdown.code($0))" } ?? "")]
        if let slope = verdict.slope { items.append("**Slope, with its interval:** \(Amount.rate(slope))") }
        if let left = verdict.timeToLimit {
            items.append("**Time to the limit, when it was found:** \(Amount.interval(left))")
        }
        if let rss = evidence.rssBytes {
            let budget = evidence.budgetBytes.map { " of a budget of \(ByteCount($0))" } ?? ""
            items.append("**Memory then:** \(ByteCount(rss))\(budget)")
        }
        items += verdict.evidence.prefix(12).map { Markdown.sentence($0) }
        return Markdown.list(items)
    }

    private var otherSites: String? {
        let others = reading.otherSites.prefix(10)
        guard !others.isEmpty else { return nil }
        let rows = others.map { leak in
            [
                Markdown.code(leak.site, inTable: true),
                leak.type.map { Markdown.code($0, inTable: true) } ?? "not known",
                ByteCount(leak.liveBytes).description, Amount.share(leak.share),
            ]
        }
        return "Other sites that grow:\n\n" + Markdown.table(["Site", "Type", "Alive", "Share"], rows)
    }

    private var consequences: String? {
        guard let cause = evidence.cause, !cause.consequences.isEmpty else { return nil }
        return "Consequences, not causes:\n\n"
            + Markdown.list(cause.consequences.prefix(12).map { Markdown.sentence($0) })
    }

    // MARK: - Ruled out

    var ruledOut: String {
        let cleared = evidence.cause?.ruledOut.prefix(20).map { Markdown.sentence($0) } ?? []
        let others = evidence.cause?.ranked.dropFirst().prefix(5).map {
            "\(Markdown.text(Names.cause($0.cause))), belief \(Amount.share($0.belief)): \(Markdown.sentence($0.sentence))"
        }
        guard !cleared.isEmpty else {
            return paragraphs([
                "Nothing was ruled out by a number. What was not measured is neither blamed nor cleared.",
                others.flatMap { $0.isEmpty ? nil : "Less likely:\n\n" + Markdown.list($0) },
            ])
        }
        return paragraphs([
            "Looked at and cleared, each by a number:", Markdown.list(cleared),
            others.flatMap { $0.isEmpty ? nil : "Less likely:\n\n" + Markdown.list($0) },
        ])
    }

    // MARK: - What misled

    var misled: String {
        let believed = reading.takenBack?.map { one in
            "**\(Markdown.text(Names.cause(one.cause)))** was told as the cause at \(time.clock(one.from)) and taken back "
                + "\(Amount.duration(IncidentReading.seconds(one.from, one.until))) later: \(Markdown.sentence(one.told))"
        }
        let symptoms = reading.symptoms.prefix(20).map { alert in
            "\(Markdown.text(Names.kind(alert.kind))), since \(time.clock(alert.since)): "
                + "\(Markdown.sentence(alert.summary))"
        }
        let heldBack = reading.entries(.suppressed).prefix(20).map {
            "\(time.clock($0.at)): \(Markdown.sentence($0.text))"
        }
        return paragraphs([
            believed.flatMap { $0.isEmpty ? nil : "Wrong causes, believed for a time:\n\n" + Markdown.list($0) },
            noWrongCause,
            symptoms.isEmpty
                ? nil
                : "Alerts that could have misled. They were held to be symptoms: told, but nobody was paged for them:\n\n"
                    + Markdown.list(symptoms),
            heldBack.isEmpty ? nil : "Held back:\n\n" + Markdown.list(heldBack),
            nothingMisled(believed: believed, others: symptoms.count + heldBack.count),
        ])
    }

    /// Said only where it is known.
    private func nothingMisled(believed: [String]?, others: Int) -> String? {
        guard let believed, believed.isEmpty, (reading.diagnosesTold ?? 0) > 0 else { return nil }
        guard others == 0 else { return "No cause that was told had to be taken back." }
        return "Nothing misled: one cause led from the first diagnosis to the last, and no alert had to be held back."
    }

    private var noWrongCause: String? {
        guard let told = reading.diagnosesTold else {
            return "Whether another cause was believed for a time is not known: the journal of that time was not read."
        }
        return told == 0 ? "No diagnosis was made while it lasted, so none had to be taken back." : nil
    }
}
