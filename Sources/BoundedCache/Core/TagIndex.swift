/// Which entries carry which tag. One node of 40 bytes for each tag of each entry; nothing while no entry has tags.
///
/// A node stands in two lists: its tag's (through its record's links), so that all entries of a tag are found at once,
/// and its entry's (through `owned`), so that an entry takes its tags along. Tags are their 64-bit hashes: two tags with
/// the same hash, which chance brings once in billions of tags, are invalidated together.
struct TagIndex: ~Copyable {
    private struct Membership {
        var tag: UInt64
        var entry: Slot
    }

    private var nodes = SlotStore(
        stride: MemoryLayout<SlotRecord>.stride + MemoryLayout<Membership>.stride, chunkSlots: 32)
    private var index = HashIndex()

    var bytes: Int { nodes.bytes + index.bytes }

    /// Bytes that so many more memberships may need on top.
    func growth(adding count: Int) -> Int {
        guard count > 0 else { return 0 }
        let missing = max(0, count - nodes.freeCount)
        let chunks = (missing + nodes.chunkSlots - 1) / nodes.chunkSlots
        let table = (index.count + count) * 4 > index.size * 3 ? HashIndex.bytes(ofSize: sizeFor(count)) : 0
        return chunks * (HeapMemory.most(nodes.chunkSlots * nodes.stride) + 64) + table
    }

    mutating func add(_ tags: [UInt64], to entry: Slot, in store: borrowing SlotStore) {
        guard !tags.isEmpty else { return }
        if (index.count + tags.count) * 4 > index.size * 3 { index.resize(to: sizeFor(tags.count)) }
        for tag in tags {
            let short = UInt32(truncatingIfNeeded: tag)
            let node = nodes.take(tag: short, weight: 0)
            membership(node).pointee = Membership(tag: tag, entry: entry)
            if let head = head(of: tag) {
                let next = nodes.record(head).pointee.next
                nodes.record(node).pointee.previous = head
                nodes.record(node).pointee.next = next
                nodes.record(head).pointee.next = node
                if next != .none { nodes.record(next).pointee.previous = node }
            } else {
                index.insert(tag: short, slot: node)
            }
            nodes.record(node).pointee.owned = store.record(entry).pointee.owned
            store.record(entry).pointee.owned = node + 1
        }
    }

    /// Forgets the tags of an entry.
    mutating func removeAll(of entry: Slot, in store: borrowing SlotStore) {
        var chain = store.record(entry).pointee.owned
        guard chain != 0 else { return }
        store.record(entry).pointee.owned = 0
        while chain != 0 {
            let node = chain - 1
            chain = nodes.record(node).pointee.owned
            unlink(node)
            nodes.free(node)
        }
        if nodes.canVacate { vacateChunk(in: store) }
    }

    /// An entry that carries the tag; nil when none does.
    func firstEntry(of tag: UInt64) -> Slot? {
        head(of: tag).map { membership($0).pointee.entry }
    }

    /// The entry now lives at `new`; its record has been moved.
    func relocate(to new: Slot, in store: borrowing SlotStore) {
        var chain = store.record(new).pointee.owned
        while chain != 0 {
            membership(chain - 1).pointee.entry = new
            chain = nodes.record(chain - 1).pointee.owned
        }
    }

    private func sizeFor(_ more: Int) -> Int { max(index.nextSize, (index.count + more) * 2) }

    private func membership(_ node: Slot) -> UnsafeMutablePointer<Membership> {
        (nodes.address(node) + MemoryLayout<SlotRecord>.stride).assumingMemoryBound(to: Membership.self)
    }

    private func head(of tag: UInt64) -> Slot? {
        let short = UInt32(truncatingIfNeeded: tag)
        var position = index.home(short)
        while index.cells[position] != 0 {
            let cell = index.cells[position]
            if HashIndex.tag(cell) == short, membership(HashIndex.slot(cell)).pointee.tag == tag {
                return HashIndex.slot(cell)
            }
            position = index.after(position)
        }
        return nil
    }

    private mutating func unlink(_ node: Slot) {
        let record = nodes.record(node).pointee
        if record.next != .none { nodes.record(record.next).pointee.previous = record.previous }
        if record.previous != .none {
            nodes.record(record.previous).pointee.next = record.next
        } else if record.next != .none {
            index.relocate(tag: record.tag, from: node, to: record.next)
        } else {
            index.remove(tag: record.tag, slot: node)
        }
    }

    /// Gives back what is not in use.
    mutating func compact(in entries: borrowing SlotStore) {
        while nodes.canVacateTightly { vacateChunk(in: entries) }
        while index.isSparse { index.resize(to: index.sparserSize) }
    }

    private mutating func vacateChunk(in entries: borrowing SlotStore) {
        for old in nodes.beginVacating() where nodes.isUsed(old) {
            let new = nodes.move(old)
            membership(new).pointee = membership(old).pointee
            let record = nodes.record(new).pointee
            if record.next != .none { nodes.record(record.next).pointee.previous = new }
            if record.previous != .none {
                nodes.record(record.previous).pointee.next = new
            } else {
                index.relocate(tag: record.tag, from: old, to: new)
            }
            correctChain(of: membership(new).pointee.entry, from: old, to: new, in: entries)
        }
        nodes.endVacating()
    }

    private func correctChain(of entry: Slot, from old: Slot, to new: Slot, in store: borrowing SlotStore) {
        var link = store.record(entry).pointee.owned
        if link == old + 1 {
            store.record(entry).pointee.owned = new + 1
            return
        }
        while link != 0 {
            let record = nodes.record(link - 1)
            if record.pointee.owned == old + 1 {
                record.pointee.owned = new + 1
                return
            }
            link = record.pointee.owned
        }
    }
}
