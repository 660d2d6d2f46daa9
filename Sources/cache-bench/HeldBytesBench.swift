import BoundedCache
import CLinux

/// Compares what caches say they hold with what the allocator has given out for them.
enum HeldBytesBench {
    /// The largest difference, in percent of the allocator's count.
    static func run() -> Double {
        let policies: [EvictionPolicy] = [.s3fifo, .adaptive]
        return policies.flatMap { [strings($0), small($0), churned($0)] }.map(abs).max() ?? 0
    }

    /// Text keys and byte values of many sizes, bounded by 24 MiB.
    private static func strings(_ policy: EvictionPolicy) -> Double {
        difference {
            var settings = CacheSettings(name: "strings", bound: .bytes(24 << 20))
            settings.policy = policy
            let cache = BoundedCache<String, [UInt8]>(settings)
            for turn in 0..<60_000 {
                cache.insert([UInt8](repeating: 1, count: turn &* 7_919 % 3_000), for: "a key of some length \(turn)")
            }
            return cache
        }
    }

    /// Nothing on the heap but the cache itself.
    private static func small(_ policy: EvictionPolicy) -> Double {
        difference {
            var settings = CacheSettings(name: "small", bound: .bytes(8 << 20))
            settings.policy = policy
            let cache = BoundedCache<Int, Int>(settings)
            for turn in 0..<400_000 { cache.insert(turn, for: turn) }
            return cache
        }
    }

    /// Keys come back, values change their size.
    private static func churned(_ policy: EvictionPolicy) -> Double {
        difference {
            var settings = CacheSettings(name: "churned", bound: .bytes(16 << 20))
            settings.policy = policy
            let cache = BoundedCache<Int, String>(settings)
            for turn in 0..<300_000 {
                let key = turn &* 2_654_435_761 % 50_000
                cache.insert(String(repeating: "x", count: 10 + turn % 900), for: key)
            }
            return cache
        }
    }

    private static func difference<Key, Value>(_ fill: () -> BoundedCache<Key, Value>) -> Double {
        _ = malloc_trim(0)
        let before = inUse()
        let cache = fill()
        let held = Double(inUse() - before)
        return withExtendedLifetime(cache) { 100 * (Double(cache.heldBytes) - held) / held }
    }

    /// Bytes handed out by the allocator, from its arenas and mapped by themselves.
    private static func inUse() -> Int {
        let info = mallinfo2()
        return Int(info.uordblks + info.hblkhd)
    }
}
