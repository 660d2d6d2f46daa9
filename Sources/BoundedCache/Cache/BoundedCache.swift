internal import CLinux
internal import Glibc

/// A cache that cannot leak: it never holds more than its bound, at no instant.
///
/// The bound is in bytes actually held (keys, values and the cache's own memory, as the allocator counts them), or in
/// entries, or both. It is kept inside every insertion: what is new comes in after room was made for it, not before.
///
///     var settings = CacheSettings(name: "profiles", bound: .bytes(64 << 20))
///     settings.times.timeToLive = .seconds(300)
///     let profiles = BoundedCache<UserID, Profile>(settings)
///     let profile = try await profiles.value(for: id) { id in try await database.profile(id) }
///
/// Look-ups are synchronous and may come from any thread; shards with a lock each keep threads apart. No code of yours
/// runs under a lock, except `==` of keys, which must not call into the cache: removed values are released, and the
/// listener is told, after the lock is open again. There is no background thread: expired entries leave by and by with
/// later insertions, or with `removeExpired`.
public final class BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    @usableFromInline let shards: ShardArray
    @usableFromInline let keyHash: KeyHash
    @usableFromInline let layout: ShardLayout
    @usableFromInline let timing: Timing
    @usableFromInline let measure: (@Sendable (Key, Value?) -> Int)?
    @usableFromInline let lifetime: (@Sendable (Key, Value) -> Duration?)?
    @usableFromInline let delivery: RemovalDelivery<Key, Value>?
    let bounds: Bounds
    let flights: FlightTable<Key, Value>
    let loads = LoadCounters()
    let refreshes = RefreshQueue<Key, Value>()
    let fixedBytes: Int
    let heaviestEntry: Int?

    /// The name it was given.
    public let name: String
    /// How dear its entries are to make again.
    public let rebuildCost: RebuildCost
    /// Who leaves when room is needed.
    public let policy: EvictionPolicy

    /// A cache with your own measure of what key and value hold on the heap.
    ///
    /// - Parameters:
    ///   - settings: name, bound, policy, times.
    ///   - heapBytes: bytes on the heap that go when key and value go; asked once per insertion, outside every lock. The
    ///     value is nil for the remembered absence of one. Must tell the truth: the bound is kept by it.
    ///   - lifetime: how long an entry may live, if not as `times` says; asked once per insertion.
    ///   - onRemoval: told of every entry that left, in order per key, outside every lock, by the thread that caused it.
    public init(
        _ settings: CacheSettings, heapBytes: (@Sendable (Key, Value?) -> Int)?,
        lifetime: (@Sendable (Key, Value) -> Duration?)? = nil,
        onRemoval: (@Sendable (CacheRemoval<Key, Value>) -> Void)? = nil
    ) {
        precondition(
            heapBytes != nil || settings.bound.bytes == nil, "a bound in bytes needs a measure of keys and values")
        let count = settings.shardCount(processors: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let isTimed = settings.times.isUsed || lifetime != nil
        let layout = ShardLayout(
            Key.self, Value.self, isTimed: isTimed, weighsBytes: settings.bound.bytes != nil,
            measuresHeap: heapBytes != nil)
        let bounds = Bounds(bytes: settings.bound.bytes, entries: settings.bound.entries, shards: count)
        let chunk = BoundedCache.chunkSlots(bounds, stride: layout.stride)
        var seeds = SystemRandomNumberGenerator()
        let policy = settings.policy
        shards = ShardArray(count: count) { _ in
            ShardCore(layout: layout, bounds: bounds, policy: policy, chunkSlots: chunk, seed: seeds.next())
        }
        self.layout = layout
        self.bounds = bounds
        self.policy = policy
        self.lifetime = lifetime
        name = settings.name
        rebuildCost = settings.rebuildCost
        keyHash = KeyHash.process
        timing = Timing(settings.times, clock: settings.clock, isUsed: isTimed)
        measure = heapBytes
        delivery = onRemoval.map(RemovalDelivery.init)
        flights = FlightTable()
        heaviestEntry = settings.heaviestEntry
        fixedBytes = shards.bytes + BoundedCache.objectBytes
        bounds.bytes?.give(-fixedBytes)
        for index in 0..<count { shards.withShard(index) { $0.claimStructure() } }
    }

    deinit {
        for index in 0..<shards.count {
            shards.withShard(index) { core in
                for slot in 0..<UInt32(core.store.slotCount) where core.store.isUsed(slot) {
                    keyPointer(slot, in: core).deinitialize(count: 1)
                    if !isNegative(slot, in: core) { valuePointer(slot, in: core).deinitialize(count: 1) }
                }
            }
        }
    }

    /// Bytes of the cache object and of the small objects it is made of.
    private static var objectBytes: Int { 640 }

    /// Chunks of at most a 64th of a shard's share, so that growing is smooth.
    private static func chunkSlots(_ bounds: Bounds, stride: Int) -> Int {
        let byBytes = bounds.bytes.map { $0.limit / bounds.shards / 64 / stride } ?? 256
        let byEntries = bounds.entries.map { $0.limit / bounds.shards / 8 } ?? 256
        return max(4, min(256, byBytes, byEntries).roundedUpToPowerOfTwo)
    }
}

extension BoundedCache where Key: MemorySized, Value: MemorySized {
    /// A cache whose keys and values say themselves what they hold.
    public convenience init(
        _ settings: CacheSettings, lifetime: (@Sendable (Key, Value) -> Duration?)? = nil,
        onRemoval: (@Sendable (CacheRemoval<Key, Value>) -> Void)? = nil
    ) {
        self.init(
            settings, heapBytes: { key, value in key.heapBytes + (value?.heapBytes ?? 0) }, lifetime: lifetime,
            onRemoval: onRemoval)
    }
}

// MARK: - Places in a slot

extension BoundedCache {
    @usableFromInline static var negativeBit: UInt16 { 1 << 15 }

    @inlinable @inline(__always)
    func keyPointer(_ slot: UInt32, in core: borrowing ShardCore) -> UnsafeMutablePointer<Key> {
        (core.store.address(slot) + layout.keyOffset).assumingMemoryBound(to: Key.self)
    }

    @inlinable @inline(__always)
    func valuePointer(_ slot: UInt32, in core: borrowing ShardCore) -> UnsafeMutablePointer<Value> {
        (core.store.address(slot) + layout.valueOffset).assumingMemoryBound(to: Value.self)
    }

    @inlinable @inline(__always)
    func flags(_ slot: UInt32, in core: borrowing ShardCore) -> UInt16 { core.store.record(slot).pointee.flags }

    @inlinable @inline(__always)
    func isNegative(_ slot: UInt32, in core: borrowing ShardCore) -> Bool {
        flags(slot, in: core) & BoundedCache.negativeBit != 0
    }

    @inlinable @inline(__always)
    func find(_ key: Key, tag: UInt32, in core: borrowing ShardCore) -> UInt32? {
        find(key, tag: tag, from: core.index.home(tag), in: core)
    }

    @inlinable @inline(__always)
    func find(_ key: Key, tag: UInt32, from home: Int, in core: borrowing ShardCore) -> UInt32? {
        let near = core.index.near(tag, home)
        if HashIndex.holds(tag, near) {
            let slot = HashIndex.slot(near)
            if keyPointer(slot, in: core).pointee == key { return slot }
        }
        var position = home
        while true {
            let cell = core.index.cells[position]
            if cell == 0 { return nil }
            if HashIndex.tag(cell) == tag {
                let slot = HashIndex.slot(cell)
                if keyPointer(slot, in: core).pointee == key { return slot }
            }
            position = core.index.after(position)
        }
    }

    /// Moves key and value of a detached entry out and gives its slot back.
    @inlinable
    func depart(
        _ slot: UInt32, _ cause: RemovalCause, from core: inout ShardCore, to departures: inout Departures<Key, Value>
    ) {
        let value = isNegative(slot, in: core) ? nil : valuePointer(slot, in: core).move()
        departures.append(CacheRemoval(key: keyPointer(slot, in: core).move(), value: value, cause: cause))
        core.counters.removals.count(cause)
        core.free(slot)
    }

    /// The last thing to do under a shard's lock: removals for the listener get their order here.
    @inlinable
    func file(_ departures: inout Departures<Key, Value>) {
        if delivery != nil, departures.first != nil { fileForListener(&departures) }
    }

    @usableFromInline
    func fileForListener(_ departures: inout Departures<Key, Value>) { delivery?.file(&departures) }

    /// After the lock: tells the listener, and lets go of what left.
    @inlinable
    func conclude(_ departures: consuming Departures<Key, Value>) {
        if delivery != nil { deliver(departures) }
    }

    @usableFromInline
    func deliver(_ departures: Departures<Key, Value>) { delivery?.deliver(departures) }

    /// Gives chunks of slots back that are not needed, and what the shard was granted beyond its need.
    @usableFromInline
    func tidy(_ core: inout ShardCore, giveBackEverything: Bool) {
        while giveBackEverything ? core.canVacateTightly : core.canVacate {
            for old in core.beginVacating() where core.store.isUsed(old) {
                let new = core.move(old)
                keyPointer(new, in: core).moveInitialize(from: keyPointer(old, in: core), count: 1)
                if !isNegative(new, in: core) {
                    valuePointer(new, in: core).moveInitialize(from: valuePointer(old, in: core), count: 1)
                }
                core.relocate(from: old, to: new)
            }
            core.endVacating()
        }
        core.giveBack(everything: giveBackEverything)
    }
}
