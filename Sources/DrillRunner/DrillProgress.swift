import Foundation
import OakumModel
import Synchronization

/// Writes the news of a drill as lines. On a terminal the status is one line that is written over each second;
/// elsewhere it comes every five seconds.
package final class DrillProgress: Sendable {
    private struct State {
        var lastStatusWritten: Double?
        var statusIsOpen = false
    }

    private let isTerminal: Bool
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameter write: gets text as it is to be written, line ends included.
    package init(isTerminal: Bool, write: @escaping @Sendable (String) -> Void) {
        self.isTerminal = isTerminal
        self.write = write
    }

    package func tell(_ news: DrillNews) {
        switch news {
        case .armStarted(let arm, let seconds):
            state.withLock { $0.lastStatusWritten = nil }
            line("\(arm.rawValue): \(Self.meaning(of: arm)), \(Int(seconds)) s under load")
        case .note(let arm, let seconds, let text):
            line("\(Self.place(arm, seconds)) \(text)")
        case .remark(let text): line(text)
        case .status(let status): tellStatus(status)
        }
    }

    private func tellStatus(_ status: DrillStatus) {
        let text = Self.text(status)
        guard !isTerminal else {
            state.withLock { $0.statusIsOpen = true }
            return write("\r\u{1B}[K" + text)
        }
        let isDue = state.withLock { state in
            guard let seconds = status.seconds else { return false }
            if let last = state.lastStatusWritten, seconds - last < 5 { return false }
            state.lastStatusWritten = seconds
            return true
        }
        if isDue { write(text + "\n") }
    }

    private func line(_ text: String) {
        let clears = state.withLock { state in
            defer { state.statusIsOpen = false }
            return state.statusIsOpen
        }
        write((clears ? "\r\u{1B}[K" : "") + text + "\n")
    }

    static func text(_ status: DrillStatus) -> String {
        let budget = Double(status.budgetBytes) / 1_048_576
        let memory = status.memory.map { bytes in
            bytes.map { String(format: "%.0f", Double($0) / 1_048_576) } ?? "down"
        }
        let load =
            status.seconds == nil
            ? "preparing"
            : "\(DrillText.grouped(status.requests)) requests, \(DrillText.grouped(status.failed)) failed"
        let p99 = status.p99Milliseconds.map { String(format: ", p99 %.1f ms", $0) } ?? ""
        let sizes = memory.isEmpty ? "unknown" : memory.joined(separator: " + ")
        return "\(place(status.arm, status.seconds)) \(load)\(p99); memory \(sizes) of "
            + String(format: "%.0f MiB each", budget)
    }

    private static func place(_ arm: DrillArm, _ seconds: Double?) -> String {
        let time = seconds.map { String(format: "%6.1f s", $0) } ?? "        "
        return "[\(arm.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0)) \(time)]"
    }

    private static func meaning(of arm: DrillArm) -> String {
        switch arm {
        case .control: "what happened then, plain processes killed at their budget"
        case .protected: "the same fault under Oakum"
        case .observed: "the same fault, Oakum only observes; then the repaired build"
        case .patched: "the repaired build under Oakum"
        }
    }
}
