import LoadGenerator
import OakumModel
import Synchronization

/// How many requests of one stream had been answered as expected, over time: what the load itself counted.
final class AnswerRecord: Sendable {
    /// A look each tenth of a second for an hour; later ones are left out.
    private static let limit = 36_000

    struct Mark: Hashable, Sendable {
        var at: Uptime
        var answered: UInt64
    }

    private let stream: Int
    private let marks = Mutex<[Mark]>([])

    init(stream: Int) {
        self.stream = stream
    }

    func look(_ load: LoadSnapshot) {
        guard let started = load.startedAt, load.answered.indices.contains(stream) else { return }
        let mark = Mark(at: started + load.seconds, answered: load.answered[stream])
        marks.withLock { marks in
            guard marks.count < Self.limit, marks.last.map({ $0.at < mark.at }) ?? true else { return }
            marks.append(mark)
        }
    }

    var all: [Mark] { marks.withLock { $0 } }

    /// How many were answered between two moments, straight lines between the looks; nil when there was none.
    static func answered(_ marks: [Mark], from: Uptime, until: Uptime) -> Double? {
        guard let first = total(marks, at: from), let last = total(marks, at: until), from < until else { return nil }
        return last - first
    }

    private static func total(_ marks: [Mark], at moment: Uptime) -> Double? {
        guard let first = marks.first, let last = marks.last else { return nil }
        guard moment > first.at else { return Double(first.answered) }
        guard let index = marks.firstIndex(where: { $0.at >= moment }) else { return Double(last.answered) }
        let (before, after) = (marks[index - 1], marks[index])
        let share = (moment - before.at) / (after.at - before.at)
        return Double(before.answered) + share * (Double(after.answered) - Double(before.answered))
    }
}
