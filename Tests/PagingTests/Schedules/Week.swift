import OakumModel
import Paging

/// An instant, written in UTC: "2026-01-05 09:00".
func utc(_ text: String) -> WallTime {
    WallTime(milliseconds: (CivilTime(text)?.seconds ?? .min / 1_000) * 1_000)
}

func civil(_ text: String) -> CivilTime {
    CivilTime(text) ?? CivilTime(seconds: 0)
}

let hour: Int64 = 3_600
let day: Int64 = 86_400
let week: Int64 = 7 * 86_400

extension Shift {
    /// "ada+ben until 2026-01-12 08:00", the end in UTC.
    var words: String {
        let end = until.map { CivilTime(seconds: $0.milliseconds / 1_000).description } ?? "ever"
        return (people.isEmpty ? "nobody" : people.joined(separator: "+")) + " until " + end
    }
}
