import LeakTesting
import OakumTestKit
import Testing

private final class Screen {
    let cache = Cache()
    var onClose: (() -> Void)?

    final class Cache {
        var entries: [String: Item] = ["first": Item()]
    }
}

nonisolated(unsafe) private var lastScreen: Screen?  // Only touched by one test of a serialized suite.
nonisolated(unsafe) private let sharedItem = Item()  // Never changed.

@Suite(.serialized, .timeLimit(.minutes(2)))
struct DeallocationTests {
    @Test func `an object that is let go of is gone, with all it made`() {
        let report = expectDeallocated { Screen() }
        #expect(report.survivors.isEmpty)
        #expect(report.watched >= 1)
    }

    @Test(.disabled(if: Sanitizer.isOn)) func `the objects that were made with it are watched too`() {
        let report = findSurvivors { Screen() }
        #expect(report.watched == 3)
    }

    @Test(.disabled(if: Sanitizer.isOn)) func `a cycle is told with its properties`() {
        let report = findSurvivors {
            let parent = Parent()
            parent.child = Child()
            parent.child?.parent = parent
            return parent
        }
        #expect(report.survivors.count == 2)
        let parent = report.survivors.first
        #expect(parent?.type.hasSuffix("Parent") == true)
        #expect(parent?.holders.first == "a cycle, no root", "\(report)")
        #expect(parent?.holders.contains("Child.parent") == true, "\(report)")
    }

    @Test(.disabled(if: Sanitizer.isOn)) func `a closure that captures its owner is told`() {
        let report = findSurvivors {
            let screen = Screen()
            screen.onClose = { screen.onClose = nil }
            return screen
        }
        let survivor = report.survivors.first
        #expect(report.survivors.isEmpty == false)
        #expect(survivor?.holders.contains("Screen.onClose") == true, "\(report)")
        #expect(survivor?.holders.first == "a cycle, no root", "\(report)")
    }

    @Test(.disabled(if: Sanitizer.isOn)) func `a global that holds it is named`() {
        let report = findSurvivors {
            let screen = Screen()
            lastScreen = screen
            return screen
        }
        #expect(report.survivors.first?.holders.first?.contains("lastScreen") == true, "\(report)")
        lastScreen = nil
    }

    @Test func `what was there before may stay`() {
        final class Borrower { let item = sharedItem }
        _ = sharedItem.first
        expectDeallocated { Borrower() }
    }

    @Test func `only the child that stays is told`() {
        var kept: Item?
        let report = findSurvivors {
            let screen = Screen()
            kept = screen.cache.entries["first"]
            return screen
        }
        #expect(kept != nil)
        if !Sanitizer.isOn { #expect(report.survivors.map(\.type).allSatisfy { $0.hasSuffix("Item") }, "\(report)") }
    }

    @Test func `several objects can be watched at once`() {
        let report = findSurvivors { (Item(), [Item(), Item()], Optional(Item())) }
        #expect(report.watched == 4)
        #expect(report.survivors.isEmpty)
    }

    @Test func `a task that still runs is given the time to end`() async {
        let report = findSurvivors(waiting: .seconds(20)) {
            let counter = Counter()
            Task {
                for _ in 0..<5_000 { await Task.yield() }
                await counter.keepOne()
            }
            return counter
        }
        #expect(report.survivors.isEmpty, "\(report)")
    }

    @Test(.disabled(if: Sanitizer.isOn)) func `a task that never ends is named as the holder`() async {
        let endless = Recorder<Task<Void, Never>>()
        let report = findSurvivors(waiting: .milliseconds(50)) {
            let counter = Counter()
            endless.record(
                Task {
                    while !Task.isCancelled { await Task.yield() }
                    await counter.keepOne()
                })
            return counter
        }
        for task in endless.values { task.cancel() }
        #expect(report.survivors.first?.holders.contains { $0.lowercased().hasPrefix("task") } == true, "\(report)")
    }

    @Test func `a closure that returns no object is told`() {
        withKnownIssue {
            expectDeallocated { 1 }
        } matching: {
            $0.comments.first?.rawValue.contains("no object") == true
        }
    }
}
