import OakumModel
import Outbound

/// Readable lines, to wherever the composition root writes.
struct ConsoleSender: PageSender {
    let isKeyed = false
    /// Gets a page's lines in one call, without a line end after the last.
    let write: @Sendable (String) -> Void

    func send(_ page: ReadablePage, now: WallTime, progress: SendProgress) async -> SendAnswer {
        progress.onConnected?()
        write(PageText(page: page).log)
        progress.onSent?()
        progress.onResponse?()
        return .delivered(receipt: "written")
    }
}
