/// Everything about a process that types and holders are read with: its memory, mappings, modules and threads.
final class InspectedProcess {
    let source: any MemorySource
    let map: MemoryMap
    let modules: ModuleMap
    let memory: CheckedMemory
    let types: HeapTypes
    let cxx: CxxTypes
    let fields: FieldNames
    let names: ObjectNames
    let plan: ScanPlan
    let scan: MemoryScan
    /// Blocks whose place and size are known for certain, by their start: the sampled ones.
    private let known: [(start: UInt64, end: UInt64)]
    private static let highest: UInt64 = 1 << 47
    private static let walkBytes: UInt64 = 1 << 20
    /// More than glibc adds to a block: its size is a multiple of 16, and a rest of 16 is not split off.
    private static let roundingBytes: UInt64 = 32

    init(
        source: any MemorySource, map: MemoryMap, modules: ModuleMap, threads: [ThreadStack],
        residency: (any PageResidency)?, known: [(start: UInt64, end: UInt64)] = [], leavingOut: Set<String> = []
    ) {
        self.source = source
        self.map = map
        self.modules = modules
        memory = CheckedMemory(source, map: map)
        types = HeapTypes(memory, modules)
        cxx = CxxTypes(memory, modules)
        fields = FieldNames(types.names)
        names = ObjectNames(types, fields)
        plan = ScanPlan(map: map, modules: modules, threads: threads, leavingOut: leavingOut)
        scan = MemoryScan(source: source, residency: residency)
        self.known = known.sorted { $0.start < $1.start }
    }

    // MARK: - Blocks

    /// The block that begins at an address.
    func block(at address: UInt64, bytes: UInt64?, index: BlockIndex) -> HolderGraph.Block {
        let type = types.object(at: address)
        let size = bytes ?? index.block(around: address, memory).map { $0.end - address } ?? type?.instanceBytes ?? 16
        return block(address, address &+ max(8, size), type)
    }

    private func block(_ start: UInt64, _ end: UInt64, _ type: HeapType?) -> HolderGraph.Block {
        // Sizes come out of a memory that may lie: no block wraps around, or reaches out of its mapping.
        let start = min(start, Self.highest)
        let end = min(end, max(start, map.region(of: start)?.end ?? start))
        var block = HolderGraph.Block(
            start: start, end: max(start + 8, end), kind: type?.kind ?? .unknown, type: type?.name)
        if type == nil {
            if isTaskMemory(start, end) {
                block.kind = .taskMemory
                block.type = "the memory of an asynchronous call"
            } else if let name = cxx.name(at: start) {
                block.kind = .cxxObject
                block.type = name
            }
        }
        if let type {
            block.lineage = type.kind == .object ? type.metadata : []
            block.fixedBytes = type.instanceBytes
            block.metadata = type.metadata.first ?? 0
            block.tail = type.tail
            block.sideTable = memory.word(at: start &+ 8).flatMap { ReferenceCount($0).sideTable }
        }
        return block
    }

    /// A slab of a task's allocator: a stand-in for metadata (zeros in the runtime's data), the next slab, how many
    /// bytes it has behind its 32 of head, and how many are used.
    private func isTaskMemory(_ start: UInt64, _ end: UInt64) -> Bool {
        guard let mark = memory.word(at: start), mark % 8 == 0, modules.moduleWithData(at: mark) != nil,
            memory.word(at: mark) == 0, let next = memory.word(at: start &+ 8), next % 16 == 0,
            let capacity = memory.word32(at: start &+ 16), let used = memory.word32(at: start &+ 20), capacity >= 64,
            used <= capacity, UInt64(capacity) + 24 <= end - start, UInt64(capacity) + 128 >= end - start
        else { return false }
        return true
    }

    /// The block that a place in the heap belongs to. What cannot be told is a block of unknown type around the place.
    func owner(of location: UInt64, index: BlockIndex) -> HolderGraph.Block {
        if let sampled = knownBlock(around: location) {
            return block(sampled.start, sampled.end, types.object(at: sampled.start))
        }
        if let chunk = index.block(around: location, memory) {
            return block(chunk.start, chunk.end, types.object(at: chunk.start))
        }
        if let (start, end, type) = walkBack(from: location) { return block(start, end, type) }
        return HolderGraph.Block(start: location & ~15, end: (location & ~15) + 16, kind: .unknown)
    }

    /// An object in a module's data around a place: its header is within 4 KiB in front, and its fixed size covers it.
    func staticObject(around location: UInt64) -> HolderGraph.Block? {
        guard let module = modules.moduleWithData(at: location),
            let range = module.data.first(where: { $0.contains(location) })
        else { return nil }
        var address = location & ~7
        let lowest = max(range.lowerBound, location > 4_096 ? location - 4_096 : 0)
        while address >= lowest, address >= 8 {
            if let type = types.object(at: address) {
                let end = end(of: type, at: address) ?? address
                return end > location ? block(address, end, type) : nil
            }
            address -= 8
        }
        return nil
    }

    private func knownBlock(around address: UInt64) -> (start: UInt64, end: UInt64)? {
        var low = 0
        var high = known.count
        while low < high {
            let middle = (low + high) / 2
            if known[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        return low > 0 && address < known[low - 1].end ? known[low - 1] : nil
    }

    /// Without a chunk: the nearest object header in front of a place whose object reaches over it.
    private func walkBack(from location: UInt64) -> (UInt64, UInt64, HeapType)? {
        guard let region = map.region(of: location) else { return nil }
        let lowest = max(region.start, location > Self.walkBytes ? location - Self.walkBytes : 0)
        var address = location & ~15
        while address >= lowest, address >= 16 {
            if let type = types.object(at: address), let end = end(of: type, at: address), end > location {
                return (address, end, type)
            }
            address -= 16
        }
        return nil
    }

    /// Where an object ends: its fixed part, and what is tail-allocated as far as its header tells.
    private func end(of type: HeapType, at address: UInt64) -> UInt64? {
        switch type.tail {
        case .elements(let element):
            guard let capacity = memory.word(at: address &+ 24), capacity < 1 << 40,
                let stride = types.stride(ofMetadata: element)
            else { return nil }
            return address &+ 32 &+ (capacity >> 1) &* stride
        case .table(let key, let value):
            guard let scale = memory.integer(at: address &+ 32, UInt8.self), scale < 40,
                let keys = memory.word(at: address &+ 48), let keyStride = types.stride(ofMetadata: key)
            else { return nil }
            guard let value else { return keys &+ keyStride << scale }
            guard let values = memory.word(at: address &+ 56), let stride = types.stride(ofMetadata: value) else {
                return nil
            }
            return values &+ stride << scale
        case .unknown: return nil
        case nil: return type.instanceBytes.map { address &+ $0 }
        }
    }

    // MARK: - Places in blocks

    func holdsStrongly(_ owner: HolderGraph.Block, at offset: UInt64) -> Bool {
        // What an asynchronous call has given back stays behind in the slab; only what is in use holds anything.
        if owner.kind == .taskMemory, let used = memory.word32(at: owner.start &+ 20) {
            return offset < 32 + UInt64(used)
        }
        if isSpare(owner, at: offset) { return false }
        return owner.lineage.isEmpty || fields.field(of: owner.lineage, at: offset)?.isStrong != false
    }

    /// Not at an element of a collection, at one that is not there, or at one whose type holds nothing: what lies there is
    /// a number, or was left behind by who had the memory before. A collection that is not whole is none any more.
    private func isSpare(_ owner: HolderGraph.Block, at offset: UInt64) -> Bool {
        switch owner.tail {
        case .elements(let element):
            guard let count = memory.word(at: owner.start &+ 16), let stride = types.stride(ofMetadata: element) else {
                return false
            }
            return offset < 32 || types.isPlain(element) || (offset - 32) / stride >= count
                || count > (owner.end - owner.start) / stride
        case .table(let key, let value):
            let location = owner.start &+ offset
            guard let keys = memory.word(at: owner.start &+ 48) else { return false }
            guard keys > owner.start, keys < owner.end, location >= keys else { return true }
            var (first, metadata) = (keys, key)
            if let value, let values = memory.word(at: owner.start &+ 56), location >= values {
                (first, metadata) = (values, value)
            }
            guard let stride = types.stride(ofMetadata: metadata),
                let scale = memory.integer(at: owner.start &+ 32, UInt8.self)
            else { return false }
            // Behind the head one bit for each bucket tells whether it is taken (HashTable.swift). The bits of buckets
            // that a small table does not have are set.
            let bucket = (location - first) / stride
            guard bucket >> UInt64(scale) == 0 else { return true }
            let bits = memory.word(at: owner.start &+ (value == nil ? 56 : 64) &+ bucket / 64 * 8)
            return types.isPlain(metadata) || bits.map { $0 >> (bucket % 64) & 1 == 0 } ?? false
        case .unknown: return false
        case nil: return isSlack(owner, at: offset)
        }
    }

    /// Behind the bytes that an object was made with: the allocator rounds up, and what lies there was left behind by
    /// who had the memory before.
    private func isSlack(_ owner: HolderGraph.Block, at offset: UInt64) -> Bool {
        switch owner.kind {
        case .object, .box, .error, .task, .job: break
        case .taskMemory, .cxxObject, .unknown: return false
        }
        guard knownBlock(around: owner.start &+ offset) == nil, !mayHaveElements(owner) else { return false }
        if knownBlock(around: owner.start)?.start == owner.start { return true }
        guard let fixed = owner.fixedBytes else { return false }
        return offset >= fixed && owner.end - owner.start < fixed + Self.roundingBytes
    }

    /// Classes whose instances may have more behind their properties, and which use what the allocator rounds up.
    private func mayHaveElements(_ owner: HolderGraph.Block) -> Bool {
        owner.lineage.contains { metadata in
            guard let name = types.names.name(ofMetadata: metadata) else { return true }
            return ["ManagedBuffer", "Storage", "KeyPath"].contains { name.contains($0) }
        }
    }

    /// What the place at an offset is called: a property, an element, a key, a captured variable.
    func place(in block: HolderGraph.Block, at offset: UInt64) -> String? {
        switch block.tail {
        case .elements(let element):
            guard offset >= 32 else { return nil }
            let inside = types.stride(ofMetadata: element).map { (offset - 32) % $0 }
            return inner("an element", element, inside)
        case .table(let key, let value):
            guard let keys = memory.word(at: block.start &+ 48), block.start &+ offset >= keys else { return nil }
            if let value, let values = memory.word(at: block.start &+ 56), block.start &+ offset >= values {
                let inside = types.stride(ofMetadata: value).map { (block.start &+ offset - values) % $0 }
                return inner("a value", value, inside)
            }
            let inside = types.stride(ofMetadata: key).map { (block.start &+ offset - keys) % $0 }
            return inner(value == nil ? "an element" : "a key", key, inside)
        case .unknown: return nil
        case nil: break
        }
        guard !block.lineage.isEmpty, offset >= 16 else { return nil }
        if let fixed = block.fixedBytes, offset >= fixed { return "an element" }
        return fields.field(of: block.lineage, at: offset)?.name
    }

    /// "a value", or "the body of a value" when the value is a struct.
    private func inner(_ what: String, _ metadata: UInt64, _ offset: UInt64?) -> String {
        guard let offset, let field = fields.field(ofValue: metadata, at: offset),
            !field.name.hasPrefix("_")
        else { return what }
        return "the \(field.name) of \(what)"
    }
}
