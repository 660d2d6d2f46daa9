import BoundedCache
import Foundation
import Synchronization

/// Something that answers look-ups of 10,000 entries; each finds what it is asked for.
protocol SpeedPeer: AnyObject, Sendable {
    /// Looks up `count` keys from `start` on, round and round, and adds the values up.
    func lookUp(_ keys: [UInt64], from start: Int, count: Int) -> UInt64
}

final class BoundedCachePeer: SpeedPeer {
    let cache: BoundedCache<UInt64, UInt64>

    init(entries: Int, policy: EvictionPolicy) {
        var settings = CacheSettings(name: "bench", bound: .entries(entries * 2))
        settings.policy = policy
        cache = BoundedCache(settings, heapBytes: nil)
        for key in 0..<UInt64(entries) { cache.insert(key, for: key) }
    }

    func lookUp(_ keys: [UInt64], from start: Int, count: Int) -> UInt64 {
        var sum: UInt64 = 0
        for turn in start..<(start + count) { sum &+= cache.value(for: keys[turn & (keys.count - 1)]) ?? 0 }
        return sum
    }
}

/// The least that a cache shared by threads can be: one mutex around a table with open addressing and a mark per use.
final class BareTablePeer: SpeedPeer {
    struct Table {
        struct Cell {
            var key: UInt64 = 0
            var value: UInt64 = 0
            /// 0: free; else 1 + uses, at most 4.
            var mark: UInt8 = 0
        }
        var cells: [Cell]
        let mask: Int

        init(entries: Int) {
            var size = 16
            while size < entries * 2 { size *= 2 }
            cells = Array(repeating: Cell(), count: size)
            mask = size - 1
        }

        static func hash(_ key: UInt64) -> UInt64 {
            let mixed = (key ^ (key >> 32)) &* 0x9E37_79B9_7F4A_7C15
            return mixed ^ (mixed >> 29)
        }

        mutating func insert(_ key: UInt64, _ value: UInt64) {
            var place = Int(truncatingIfNeeded: Table.hash(key)) & mask
            while cells[place].mark != 0, cells[place].key != key { place = (place + 1) & mask }
            cells[place] = Cell(key: key, value: value, mark: 1)
        }

        mutating func value(_ key: UInt64) -> UInt64? {
            var place = Int(truncatingIfNeeded: Table.hash(key)) & mask
            while cells[place].mark != 0 {
                if cells[place].key == key {
                    if cells[place].mark < 4 { cells[place].mark += 1 }
                    return cells[place].value
                }
                place = (place + 1) & mask
            }
            return nil
        }
    }

    private let table: Mutex<Table>

    init(entries: Int) {
        var table = Table(entries: entries)
        for key in 0..<UInt64(entries) { table.insert(key, key) }
        self.table = Mutex(table)
    }

    func lookUp(_ keys: [UInt64], from start: Int, count: Int) -> UInt64 {
        var sum: UInt64 = 0
        for turn in start..<(start + count) {
            let key = keys[turn & (keys.count - 1)]
            sum &+= table.withLock { $0.value(key) } ?? 0
        }
        return sum
    }
}

/// What people write first.
final class DictionaryPeer: SpeedPeer {
    private let table: Mutex<[UInt64: UInt64]>

    init(entries: Int) {
        table = Mutex(Dictionary(uniqueKeysWithValues: (0..<UInt64(entries)).map { ($0, $0) }))
    }

    func lookUp(_ keys: [UInt64], from start: Int, count: Int) -> UInt64 {
        var sum: UInt64 = 0
        for turn in start..<(start + count) {
            let key = keys[turn & (keys.count - 1)]
            sum &+= table.withLock { $0[key] } ?? 0
        }
        return sum
    }
}

/// Foundation's. Its keys and values are objects: they are made before the time is taken.
final class NSCachePeer: SpeedPeer {
    // NSCache has a lock of its own.
    private nonisolated(unsafe) let cache = NSCache<NSNumber, NSNumber>()
    private let numbers: [NSNumber]

    init(entries: Int) {
        numbers = (0..<entries).map { NSNumber(value: $0) }
        for number in numbers { cache.setObject(number, forKey: number) }
    }

    func lookUp(_ keys: [UInt64], from start: Int, count: Int) -> UInt64 {
        var found: UInt64 = 0
        for turn in start..<(start + count)
        where cache.object(forKey: numbers[Int(keys[turn & (keys.count - 1)])]) != nil {
            found &+= 1
        }
        return found
    }
}

/// The way of the language: each look-up is a call that may suspend.
actor ActorPeer {
    private var table: [UInt64: UInt64]

    init(entries: Int) {
        table = Dictionary(uniqueKeysWithValues: (0..<UInt64(entries)).map { ($0, $0) })
    }

    func value(_ key: UInt64) -> UInt64? { table[key] }
}
