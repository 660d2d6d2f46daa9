/// What kind of thing a block of memory is.
package enum BlockKind: String, Hashable, Sendable, Codable {
    /// An instance of a Swift class or actor; storage of arrays, dictionaries, sets and strings too.
    case object
    /// A captured variable, or the context of a closure.
    case box
    case error
    case task
    case job
    /// Memory of a task's asynchronous calls.
    case taskMemory = "task_memory"
    /// A C++ object with virtual functions.
    case cxxObject = "cxx_object"
    /// Nothing is known: memory of C, of C++ without virtual functions, or a buffer.
    case unknown
}

/// The type of a Swift heap object, by its metadata.
struct HeapType {
    var kind: BlockKind
    /// As a programmer would write it.
    var name: String
    /// Bytes of an instance without what is tail-allocated; nil when it is not fixed.
    var instanceBytes: UInt64?
    /// The metadata, and its superclasses' behind it.
    var metadata: [UInt64]
    /// What lies behind the fixed part, again and again.
    var tail: Tail?

    enum Tail {
        /// Elements from byte 32 on.
        case elements(metadata: UInt64)
        /// Keys and values of a hash table.
        case table(key: UInt64, value: UInt64?)
        /// Anything: a `ManagedBuffer` and the like.
        case unknown
    }
}

/// Tells Swift heap objects by the first word of a block.
final class HeapTypes {
    let memory: CheckedMemory
    let modules: ModuleMap
    let names: TypeNames
    let mangled: MangledTypes
    private var cache: [UInt64: HeapType?] = [:]
    private static let cacheLimit = 65_536
    private static let instanceLimit: UInt64 = 1 << 28

    init(_ memory: CheckedMemory, _ modules: ModuleMap) {
        self.memory = memory
        self.modules = modules
        names = TypeNames(memory)
        mangled = MangledTypes(names)
    }

    /// The object that begins at an address: a valid metadata pointer, and behind it a valid reference count.
    func object(at address: UInt64) -> HeapType? {
        guard address % 16 == 0 || address % 8 == 0, let first = memory.word(at: address),
            let type = type(ofMetadata: first)
        else { return nil }
        if type.kind == .taskMemory { return type }
        guard let count = memory.word(at: address &+ 8), ReferenceCount(count).isPlausible else { return nil }
        return type
    }

    func type(ofMetadata address: UInt64) -> HeapType? {
        guard address % 8 == 0, address > 4_096, address < 1 << 47 else { return nil }
        if let known = cache[address] { return known }
        let type = read(address)
        if cache.count >= Self.cacheLimit { cache.removeAll(keepingCapacity: true) }
        cache[address] = .some(type)
        return type
    }

    private func read(_ address: UInt64) -> HeapType? {
        guard let kind = memory.word(at: address) else { return nil }
        switch MetadataKind(kind) {
        case .classType: return classType(address)
        case .localBox:
            guard modules.index(of: address) != nil, let offset = memory.word32(at: address &+ 8), offset < 4_096
            else { return nil }
            return HeapType(kind: .box, name: captures(address), instanceBytes: nil, metadata: [address])
        case .genericBox:
            guard let offset = memory.word32(at: address &+ 8), offset >= 16, offset < 4_096,
                let boxed = memory.word(at: address &+ 16), let name = names.name(ofMetadata: boxed)
            else { return nil }
            return HeapType(
                kind: .box, name: "captured \(name)",
                instanceBytes: size(ofMetadata: boxed).map { $0 + UInt64(offset) },
                metadata: [address])
        case .errorBox:
            return modules.index(of: address) == nil
                ? nil : HeapType(kind: .error, name: "Error", instanceBytes: nil, metadata: [address])
        case .task:
            return modules.index(of: address) == nil
                ? nil : HeapType(kind: .task, name: "Task", instanceBytes: nil, metadata: [address])
        case .job:
            return modules.index(of: address) == nil
                ? nil : HeapType(kind: .job, name: "Job", instanceBytes: nil, metadata: [address])
        default: return nil
        }
    }

    /// Bytes of a value of a type, by its value witness table.
    func size(ofMetadata address: UInt64) -> UInt64? {
        guard let witnesses = memory.word(at: address &- 8), witnesses % 8 == 0,
            let size = memory.word(at: witnesses &+ 64), size < Self.instanceLimit
        else { return nil }
        return size
    }

    func stride(ofMetadata address: UInt64) -> UInt64? {
        guard let witnesses = memory.word(at: address &- 8), witnesses % 8 == 0,
            let stride = memory.word(at: witnesses &+ 72), stride > 0, stride < Self.instanceLimit
        else { return nil }
        return stride
    }

    /// Values of the type need no care when they are copied, so they hold nothing; pointers that are managed by hand may.
    func isPlain(_ metadata: UInt64) -> Bool {
        guard let witnesses = memory.word(at: metadata &- 8), witnesses % 8 == 0,
            let flags = memory.word32(at: witnesses &+ 80), flags & 0x1_0000 == 0,
            let name = names.name(ofMetadata: metadata)
        else { return false }
        return !["Unsafe", "Unmanaged", "Opaque", "Pointer"].contains { name.contains($0) }
    }

    private func classType(_ address: UInt64) -> HeapType? {
        guard let descriptor = memory.word(at: address &+ 40), modules.index(of: descriptor) != nil,
            let flags = memory.word32(at: descriptor), flags & 0x1F == 16,
            let instanceBytes = memory.word32(at: address &+ 24), instanceBytes >= 16,
            UInt64(instanceBytes) < Self.instanceLimit,
            let alignMask = memory.integer(at: address &+ 28, UInt16.self), (alignMask + 1) & alignMask == 0,
            let name = names.name(ofMetadata: address)
        else { return nil }
        var type = HeapType(
            kind: .object, name: name, instanceBytes: UInt64(instanceBytes), metadata: lineage(address))
        type.tail = tail(descriptor, address)
        return type
    }

    /// A class and its superclasses, nearest first; at most 32.
    private func lineage(_ address: UInt64) -> [UInt64] {
        var result = [address]
        while result.count < 32, let last = result.last, let next = memory.word(at: last &+ 8), next > 4_096,
            next % 8 == 0, memory.word(at: next).map({ MetadataKind($0) == .classType }) == true
        {
            result.append(next)
        }
        return result
    }

    private func tail(_ descriptor: UInt64, _ metadata: UInt64) -> HeapType.Tail? {
        guard let name = names.text(relativeAt: descriptor &+ 8),
            let offset = ClassLayout.argumentsOffset(descriptor, memory)
        else { return nil }
        let first = memory.word(at: metadata &+ UInt64(bitPattern: offset))
        let second = memory.word(at: metadata &+ UInt64(bitPattern: offset) &+ 8)
        switch name {
        case "_ContiguousArrayStorage": return first.map { .elements(metadata: $0) }
        case "_DictionaryStorage": return first.map { .table(key: $0, value: second) }
        case "_SetStorage": return first.map { .table(key: $0, value: nil) }
        case "__StringStorage": return .unknown
        default: return nil
        }
    }

    /// "a closure that captures Screen": by the capture descriptor, when the binary has it.
    private func captures(_ metadata: UInt64) -> String {
        guard let descriptor = memory.word(at: metadata &+ 16), modules.index(of: descriptor) != nil,
            let count = memory.word32(at: descriptor), count > 0, count <= 64
        else { return "a closure" }
        let captured = (0..<UInt64(min(count, 6))).map { index in
            memory.relative(at: descriptor &+ 12 &+ index * 4).flatMap { mangled.name(at: $0) } ?? "_"
        }
        return "a closure that captures " + captured.joined(separator: ", ") + (count > 6 ? ", …" : "")
    }
}

/// The word behind a Swift object's metadata pointer (RefCount.h of the Swift runtime, 64 bits).
struct ReferenceCount {
    var word: UInt64

    init(_ word: UInt64) {
        self.word = word
    }

    /// Counts have moved to a side table, which weak references go through.
    var usesSideTable: Bool { word >> 62 == 3 }

    /// Where; nil without one.
    var sideTable: UInt64? { usesSideTable ? (word & (1 << 62 - 1)) << 3 : nil }

    /// A count as living objects have: no aligned pointer, no small even number, not zero.
    var isPlausible: Bool {
        if usesSideTable { return sideTable.map { $0 > 4_096 && $0 < 1 << 47 } ?? false }
        // Bit 0 is set for native objects; bits 1 to 31 count unowned references, one of which is the object's own.
        return word & 1 == 1 && (word >> 1) & 0x7FFF_FFFF >= 1
    }

    /// The object is being deallocated.
    var isDeiniting: Bool { !usesSideTable && word & (1 << 32) != 0 }
}
