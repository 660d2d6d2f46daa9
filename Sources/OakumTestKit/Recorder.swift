import Synchronization

/// Collects what concurrent code reports, in the order it arrives.
package final class Recorder<Element: Sendable>: Sendable {
    private let recorded = Mutex<[Element]>([])

    package init() {}

    package var values: [Element] { recorded.withLock { $0 } }

    package func record(_ element: Element) {
        recorded.withLock { $0.append(element) }
    }

    /// Drops what has been recorded: for tests that run for long and look at memory.
    package func forget() {
        recorded.withLock { $0 = [] }
    }
}
