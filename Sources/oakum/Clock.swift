import Foundation
import OakumModel

/// How the command line writes times.
enum Clock {
    static var now: WallTime {
        WallTime(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)))
    }

    /// "14:03:27" of today, "2026-11-03 14:03:27" of other days, in the terminal's zone.
    static func time(_ wall: WallTime) -> String {
        let date = Date(timeIntervalSince1970: Double(wall.milliseconds) / 1_000)
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = Calendar.current.isDateInToday(date) ? "HH:mm:ss" : "yyyy-MM-dd HH:mm:ss"
        return formatter.string(from: date)
    }

    /// "500ms", "30s", "2min", "1h" in seconds; nil when the text is no such time.
    static func seconds(_ text: String) -> Double? {
        let units: [(String, Double)] = [("ms", 0.001), ("min", 60), ("s", 1), ("h", 3_600)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)), number > 0, number < 1e6 else { return nil }
            return number * factor
        }
        return nil
    }
}
