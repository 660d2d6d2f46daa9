import Diagnosis
import OakumModel

extension Diagnosis {
    /// What follows from the cause, the log lines that belong to it, what is ruled out and what is not known, as sentences
    /// for people.
    var lines: [String] {
        consequences.map(\.sentence) + logs.map { Self.sentence($0.sentence) }
            + ruledOut.map { "Ruled out: \($0.sentence)" }
            + notKnown.map { "Not known: \($0)" }
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    /// What is told when a cause is named, or another one than before.
    ///
    /// - Parameter subject: what people call it, the service or one of its workers.
    func event(
        of subject: String, _ service: String, _ worker: UInt32?, _ process: ProcessIdentity?, course: DiagnosisCourse,
        at now: Moment
    ) -> Event {
        var facts = [
            "first_cause": course.firstCause?.rawValue ?? CauseCode.unknown.rawValue,
            "cause": (firstCause ?? .unknown).rawValue,
            "misled_by": course.misledBy.map(\.rawValue).joined(separator: ","),
        ]
        if let belief = leading?.belief { facts["belief"] = Words.fixed(belief, 2) }
        if let buys = restartBuys { facts["restart_buys_s"] = Words.fixed(buys.estimate, 0) }
        if !ruledOut.isEmpty { facts["ruled_out"] = ruledOut.map(\.sentence).joined(separator: "; ") }
        if !logs.isEmpty { facts["logs"] = logs.map(\.sentence).joined(separator: "; ") }
        return Event(
            kind: .diagnosed, at: now, service: service, worker: worker, process: process,
            message: "\(subject): \(summary)", facts: facts)
    }
}
