import LoadGenerator
import OakumModel

/// What the observed arm brought to light beside load and journal.
struct ObservedFacts: Sendable {
    var kills: Int
    var marks: [AnswerRecord.Mark]
    /// What the business was told, as it arrived.
    var messages: [PageReceiver.Arrival]
    /// At the end; nil: none was opened.
    var incident: Incident?
    /// Both clocks at one moment.
    var clock: Moment

    func uptime(_ wall: WallTime) -> Uptime {
        clock.uptime + Double(wall.milliseconds - clock.wall.milliseconds) / 1_000
    }
}

extension ObservedReport {
    /// - Parameter perSecond: what the load brings of what the business counts.
    init(
        _ load: LoadReport, _ findings: OakumFindings, _ facts: ObservedFacts, _ business: CountedBusiness,
        perSecond: Double, acts: [String]
    ) {
        let start = load.startedAt
        func rounded(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }
        func after(_ wall: WallTime?) -> Double? { wall.map { rounded(max(0, facts.uptime($0) - start)) } }
        self.init(
            load: ArmNumbers(load), kills: facts.kills, acts: acts, verdict: findings.verdict,
            messages: facts.messages.map {
                BusinessMessage(seconds: rounded(max(0, $0.at - start)), text: $0.page.data.title)
            }, paging: findings.pages.map(PagingReport.init))
        let milestones = facts.incident?.milestones
        leakOnsetSeconds = findings.leakOnsetSeconds.map(rounded)
        detectedSeconds = findings.detectedSeconds.map(rounded)
        impactOnsetSeconds = after(milestones?.impactOnset)
        leadTimeSeconds = milestones?.leadSeconds.map(rounded)
        messageSeconds = messages.first?.seconds
        restoredSeconds = after(milestones?.restored)
        self.business = Self.numbers(facts, business, perSecond: perSecond, start)
    }

    /// The last message with numbers of what the business counts, held against the load of the time it is about.
    private static func numbers(
        _ facts: ObservedFacts, _ business: CountedBusiness, perSecond: Double, _ start: Uptime
    ) -> BusinessNumbers? {
        let told = facts.messages.reversed().lazy.compactMap { arrival in
            Self.numbers(of: business.name, in: arrival.page.data.title).map { (arrival.at, $0) }
        }.first
        guard let (arrivedAt, numbers) = told else { return nil }
        // It may have been lost more than once: the message gives the sum.
        let losses = facts.incident?.impact.filter { $0.what == business.name } ?? []
        let spans = losses.map { loss in
            (from: facts.uptime(loss.from), until: min(loss.until.map(facts.uptime) ?? arrivedAt, arrivedAt))
        }
        guard let from = spans.map(\.from).min(), let until = spans.map(\.until).max() else { return nil }
        let counts = spans.compactMap { AnswerRecord.answered(facts.marks, from: $0.from, until: $0.until) }
        guard counts.count == spans.count else { return nil }
        let seconds = spans.reduce(0) { $0 + ($1.until - $1.from) }
        func rounded(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }
        return BusinessNumbers(
            what: business.name, told: numbers.actual, expectedTold: numbers.expected,
            counted: counts.reduce(0, +).rounded(), expectedCounted: (perSecond * seconds).rounded(),
            fromSeconds: rounded(from - start),
            untilSeconds: rounded(until - start), tolerancePoints: business.tolerancePoints)
    }

    /// "…sign-ups 205 of 412 expected…": what a reader of the message reads.
    static func numbers(of what: String, in text: String) -> (actual: Double, expected: Double)? {
        guard let name = text.firstRange(of: "\(what) ") else { return nil }
        let words = text[name.upperBound...].split(separator: " ", maxSplits: 4)
        guard words.count > 3, words[1] == "of", words[3].hasPrefix("expected"), let actual = Double(words[0]),
            let expected = Double(words[2])
        else { return nil }
        return (actual, expected)
    }
}

// MARK: - What must hold

extension ObservedReport {
    /// Why the arm shows nothing.
    var emptiness: [String] {
        guard impactOnsetSeconds == nil else { return [] }
        return [
            """
            nothing was lost in the observed arm, so there was nothing to tell the business: raise `fault_bytes`, or \
            give the arm more time before `fixed_at`
            """
        ]
    }

    var shortfalls: [String] {
        guard impactOnsetSeconds != nil else { return [] }
        var result: [String] = []
        if let act = acts.first { result.append("Oakum acted in the observed arm: \(act)") }
        if verdict != .leak { result.append("the leak was not detected in the observed arm") }
        if let paging, paging.pagedSeconds == nil { result.append("nobody was paged in the observed arm") }
        guard let last = messages.last else { return result + ["the business was told nothing"] }
        guard let business else { return result + ["the business was told no numbers, but: \(last.text)"] }
        if !business.isRight {
            let (told, counted) = (DrillText.percent(business.percentTold), DrillText.percent(business.percentCounted))
            result.append(
                """
                the business was told \(business.what) \(told) of \(business.expectedTold) expected; the load counted \
                \(counted) of \(business.expectedCounted)
                """)
        }
        if !messages.contains(where: { $0.text.contains("; restored ") && !$0.text.hasSuffix("; over") }) {
            result.append("the business was not told in the observed arm that users were served as before")
        }
        return result
    }
}
