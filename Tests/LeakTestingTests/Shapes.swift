import Glibc
import Synchronization

/// 16 bytes of payload behind the object's header: 32 bytes of memory.
final class Item {
    var first = 1
    var second = 2
}

/// Something that is kept for ever.
final class Registry {
    var items: [Item] = []
}

/// Holds what tests leak, beyond their end.
final class Hoard: Sendable {
    static let shared = Hoard()
    let items = Mutex<[Held]>([])

    struct Held: @unchecked Sendable {  // Only kept, under the mutex; nobody looks inside.
        let item: AnyObject
    }

    func keep(_ item: sending AnyObject) {
        let held = Held(item: item)
        items.withLock { $0.append(held) }
    }
}

/// A tree whose children know their parent strongly: a cycle.
final class Parent {
    var child: Child?
}

final class Child {
    var parent: Parent?
}

actor Counter {
    private var kept: [Item] = []

    func keepOne() { kept.append(Item()) }
    func makeOne() -> Int { Item().first }
}

/// A cache with a bound, emptied in halves.
struct SmallCache {
    let bound: Int
    private var values: [Int: Item] = [:]

    init(bound: Int) { self.bound = bound }

    mutating func value(for key: Int) -> Item {
        if let known = values[key] { return known }
        if values.count >= bound { for key in values.keys.prefix(bound / 2) { values[key] = nil } }
        let item = Item()
        values[key] = item
        return item
    }
}

/// Allocates and frees as other tests do that run at the same time, on threads of its own, until it is stopped: constant
/// garbage, and memory that only grows.
final class NoisyNeighbours: Sendable {
    private let isOver = Atomic(false)
    private let threads = Mutex<[pthread_t]>([])

    init(count: Int) {
        for _ in 0..<count {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(self).toOpaque()
            let code = pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<NoisyNeighbours>.fromOpaque(context).takeRetainedValue().work()
                    return nil
                }, context)
            if code == 0 { threads.withLock { $0.append(thread) } }
        }
    }

    private func work() {
        var kept: [Item] = []
        while !isOver.load(ordering: .relaxed) {
            kept.append(Item())
            _ = (0..<10).map { String(repeating: "noise", count: $0 + 4) }
            if kept.count > 200_000 { kept.removeAll() }
        }
    }

    func stop() {
        isOver.store(true, ordering: .relaxed)
        for thread in threads.withLock({ $0 }) { pthread_join(thread, nil) }
    }
}
