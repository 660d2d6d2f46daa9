import OakumModel

/// A corrective action that follows from the record. People take it, change it or drop it.
struct CorrectiveAction: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable {
        case prevent
        case detect
        case mitigate
        case process
    }

    /// Markdown.
    var text: String
    var kind: Kind
    /// What shows that it is done: something that can be run or seen. Markdown.
    var doneWhen: String
    /// Proposed, counted from detection.
    var dueDays: Int
}

/// Which actions to propose.
struct CorrectiveActions: Sendable {
    private(set) var all: [CorrectiveAction] = []
    private let reading: IncidentReading
    private let service: String

    init(_ reading: IncidentReading) {
        self.reading = reading
        service = reading.incident.service ?? "SERVICE"
        proposeRepair()
        proposeTests()
        proposeDetection()
        proposeMitigation()
        proposePeople()
    }

    /// Days to repair the cause, by how bad it was.
    private var repairDays: Int {
        switch reading.incident.severity {
        case .critical: 3
        case .error: 7
        case .warning: 30
        case .info: 90
        }
    }

    private mutating func add(
        _ kind: CorrectiveAction.Kind, _ text: String, doneWhen: String, dueDays: Int
    ) {
        all.append(CorrectiveAction(text: text, kind: kind, doneWhen: doneWhen, dueDays: dueDays))
    }

    private mutating func proposeRepair() {
        guard reading.isLeak else {
            guard let cause = reading.evidence.cause, cause.firstCause != "unknown" else {
                add(
                    .prevent, "Find out what caused it", doneWhen: "this document names it, with what shows it",
                    dueDays: repairDays)
                return
            }
            add(
                .prevent, "Repair the cause: \(Markdown.text(Names.cause(cause.firstCause)))",
                doneWhen: "the alert stays silent for a week under the same load", dueDays: repairDays)
            return
        }
        guard let leak = reading.leak else {
            add(
                .prevent, "Find out where the memory that stays is allocated, and release it",
                doneWhen: "the verdict on a worker with the repair is not a leak", dueDays: repairDays)
            return
        }
        let place = Markdown.code(leak.site, inTable: true)
        add(
            .prevent, "Release what \(place) allocates",
            doneWhen: "under the same load the verdict is not a leak, and "
                + "\(Markdown.code("oakum why \(service)", inTable: true)) no longer names the site",
            dueDays: repairDays)
        guard let holder = leak.chain.first, leak.chain.count > 1, leak.cache == nil else { return }
        add(
            .prevent,
            "Give \(Markdown.code(holder, inTable: true)) a bound in bytes, and an age after which entries go",
            doneWhen: "its size levels off in a load test: the verdict is a cache that fills, or steady",
            dueDays: repairDays)
    }

    private mutating func proposeTests() {
        guard reading.isLeak else { return }
        let target =
            reading.leak.map { "the path that runs \(Markdown.code($0.function, inTable: true))" }
            ?? "the path that leaks"
        add(
            .prevent, "Add a leak test for \(target)",
            doneWhen: "it fails on the build that leaked, and passes on the repaired one", dueDays: 14)
        add(
            .prevent, "Keep this incident as a drill, with the same fault and load",
            doneWhen: "\(Markdown.code("oakum drill FILE.md")) passes on the repaired build", dueDays: 30)
    }

    private mutating func proposeDetection() {
        if reading.isLeak, reading.leak == nil, reading.facts.treatment?.samplesHeap != true {
            add(
                .detect, "Let the workers carry the sampler, so that the next leak has a site",
                doneWhen: "\(Markdown.code("oakum heap \(service)", inTable: true)) lists sites", dueDays: 7)
        }
        if let onset = reading.milestones.leakOnset, case let late = -reading.sinceDetection(onset), late > 900 {
            add(
                .detect,
                "Look at the \(Amount.duration(late)) between leak onset and detection: what kept the verdict waiting",
                doneWhen: "a drill with the same fault is detected in a third of that time", dueDays: 30)
        }
        if let lead = reading.milestones.leadSeconds, lead < 0 {
            add(
                .detect, "Find out why users noticed first, and set the limits of the alert that told of it lower",
                doneWhen: "a drill with the same fault is detected before its first failed request", dueDays: 14)
        }
        if reading.isImpactUnmeasured {
            add(
                .detect, "Measure what users notice: error rate, latency, and what the business counts",
                doneWhen: "the next draft has figures under Impact", dueDays: 14)
        }
        if (reading.takenBack ?? []).isEmpty == false {
            add(
                .detect, "Look at why a wrong cause led, and have the signal measured that tells the two apart",
                doneWhen: "a drill with the same fault has an empty `misled_by`", dueDays: 30)
        }
    }

    private mutating func proposeMitigation() {
        if reading.isLeak, (reading.recycles?.withheld ?? 0) > 0 || reading.facts.treatment?.recycles == false {
            add(
                .mitigate,
                "Decide whether Oakum may replace workers of \(Markdown.code(service, inTable: true)) by itself",
                doneWhen: "\(Markdown.code("observe_only: false")), or the reason against it stands here", dueDays: 7)
        }
        if (reading.recycles?.failed ?? 0) > 0 {
            add(
                .mitigate, "Repair what made recycles fail",
                doneWhen: "\(Markdown.code("oakum recycle \(service)", inTable: true)) succeeds", dueDays: 3)
        }
        if let share = reading.peakShare, share >= 0.95 {
            add(
                .mitigate, "Recycle earlier or give more room: memory reached \(Amount.share(share)) of the budget",
                doneWhen: "a drill stays below \(Amount.share(0.9))", dueDays: 14)
        }
    }

    private mutating func proposePeople() {
        for channel in Set(reading.deadPages.map(\.page.channel)).sorted().prefix(5) {
            add(
                .process,
                "Repair the channel \(Markdown.code(channel, inTable: true)): pages through it were not delivered",
                doneWhen: "\(Markdown.code("oakum on-call check")) gets through", dueDays: 1)
        }
        if !reading.entries(.exhausted).isEmpty {
            add(
                .process, "Add a last step to the escalation path that always reaches somebody",
                doneWhen: "\(Markdown.code("oakum plan")) shows no gap", dueDays: 7)
        }
        let isUnpaged =
            reading.incident.policy == nil || (reading.alarms.isEmpty && reading.incident.severity >= .error)
        if isUnpaged, !reading.wasToPageNobody {
            add(
                .process, "Name an escalation policy for \(Markdown.code(service, inTable: true))",
                doneWhen: "\(Markdown.code("oakum on-call now")) names somebody for it", dueDays: 7)
        }
        if reading.incident.runbook == nil {
            add(
                .process, "Write down what to do, and give its address as the runbook of the service",
                doneWhen: "the next page carries the link", dueDays: 30)
        }
    }
}

extension DraftWriter {
    var actions: String {
        let proposals = CorrectiveActions(reading).all
        guard !proposals.isEmpty else { return "None follows from the record." }
        let owner = facts.owner.map { Markdown.text($0.name, limit: 100) } ?? "_nobody yet_"
        let rows = proposals.enumerated().map { index, action in
            [
                "\(index + 1)", action.text, action.kind.rawValue, owner, due(action.dueDays), action.doneWhen,
            ]
        }
        let note =
            facts.owner.map { "Owners (\(Markdown.text($0.origin))) and dates are proposals" } ?? "Dates are proposals"
        return paragraphs([
            "\(note), counted from the day of detection. An action is done when its check passes.",
            Markdown.table(["#", "Action", "Type", "Owner", "Due", "Done when"], rows),
        ])
    }

    private func due(_ days: Int) -> String {
        let detected = milestones.detected.milliseconds
        let (at, isTooLate) = detected.addingReportingOverflow(Int64(days) * 86_400_000)
        return isTooLate ? "–" : time.date(WallTime(milliseconds: at))
    }
}
