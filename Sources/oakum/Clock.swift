import Foundation
import OakumModel

/// How the command line writes times.
enum Clock {
    /// "14:03:27" of today, "2026-11-03 14:03:27" of other days, in the terminal's zone.
    static func time(_ wall: WallTime) -> String {
        let date = Date(timeIntervalSince1970: Double(wall.milliseconds) / 1_000)
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = Calendar.current.isDateInToday(date) ? "HH:mm:ss" : "yyyy-MM-dd HH:mm:ss"
        return formatter.string(from: date)
    }
}
