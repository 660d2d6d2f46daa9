import DurableOutbox
import Foundation
import Notify
import OakumModel
import Outbound

/// Hands pages of the outbox to their channels.
struct PageSending: OutboxSender {
    let notifier: Notifier

    func send(_ message: OutboxMessage, attempt: Int, waypoints: Waypoints) async -> OutboxAnswer {
        let page: Page
        do {
            page = try JSONDecoder().decode(Page.self, from: Data(message.payload))
        } catch {
            return .refused(words: "the stored page cannot be read by this version of Oakum: \(error)")
        }
        let progress = SendProgress(
            onConnected: { waypoints.reached(.connect) }, onSent: { waypoints.reached(.bytesSent) },
            onResponse: { waypoints.reached(.responseRead) })
        switch await notifier.send(page, progress: progress) {
        case .delivered(let receipt): return .delivered(receipt: receipt)
        case .again(let after, let words): return .again(after: after.map { .seconds($0) }, words: words)
        case .refused(let words): return .refused(words: words)
        case .disabled(let words): return .disabled(words: words)
        }
    }
}
