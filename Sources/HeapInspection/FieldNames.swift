/// Names of stored properties at offsets, by the field descriptors that the compiler puts into every binary unless it is
/// told not to (`-disable-reflection-metadata`), and the offsets in the metadata.
final class FieldNames {
    struct Field: Hashable {
        var name: String
        var offset: UInt64
        /// Declared `weak` or `unowned`: holds nothing alive.
        var isStrong: Bool
        /// Descriptor of the field's type when it is a nominal type without generic arguments.
        var descriptor: UInt64?
    }

    static let fieldLimit: UInt32 = 4_096
    let memory: CheckedMemory
    let names: TypeNames
    private var cache: [UInt64: [Field]] = [:]
    private static let cacheLimit = 16_384

    init(_ names: TypeNames) {
        self.names = names
        self.memory = names.memory
    }

    func forget() {
        cache.removeAll(keepingCapacity: true)
    }

    /// The property of a class instance that the byte at an offset belongs to; nil when it is not told.
    /// - Parameter lineage: metadata of the class and its superclasses.
    func field(of lineage: [UInt64], at offset: UInt64) -> Field? {
        var best: Field?
        for metadata in lineage {
            for field in fields(ofClass: metadata) where field.offset <= offset && field.offset >= (best?.offset ?? 0) {
                best = field
            }
        }
        return best
    }

    /// The property of a class instance with a name; the nearest class's where several have it.
    func field(of lineage: [UInt64], named name: String) -> Field? {
        for metadata in lineage {
            if let field = fields(ofClass: metadata).first(where: { $0.name == name }) { return field }
        }
        return nil
    }

    /// The property of a value that the byte at an offset belongs to; nil when it is no struct, or not told.
    func field(ofValue metadata: UInt64, at offset: UInt64) -> Field? {
        guard memory.word(at: metadata).map({ MetadataKind($0) == .structType }) == true else { return nil }
        return fields(ofStruct: metadata).last { $0.offset <= offset }
    }

    private func fields(ofClass metadata: UInt64) -> [Field] {
        if let known = cache[metadata] { return known }
        var result: [Field] = []
        if let descriptor = memory.word(at: metadata &+ 40), let count = memory.word32(at: descriptor &+ 36),
            let vector = vectorOffset(ofClass: descriptor), count > 0, count <= Self.fieldLimit
        {
            result = fields(descriptor, count) { index in
                memory.word(at: metadata &+ vector &+ UInt64(index) * 8)
            }
        }
        return keep(result, metadata)
    }

    private func fields(ofStruct metadata: UInt64) -> [Field] {
        if let known = cache[metadata] { return known }
        var result: [Field] = []
        if let descriptor = memory.word(at: metadata &+ 8), let count = memory.word32(at: descriptor &+ 20),
            let vector = memory.word32(at: descriptor &+ 24), count > 0, count <= Self.fieldLimit, vector > 0,
            vector < 1 << 16
        {
            result = fields(descriptor, count) { index in
                memory.word32(at: metadata &+ UInt64(vector) * 8 &+ UInt64(index) * 4).map { UInt64($0) }
            }
        }
        return keep(result, metadata)
    }

    private func keep(_ fields: [Field], _ metadata: UInt64) -> [Field] {
        if cache.count >= Self.cacheLimit { cache.removeAll(keepingCapacity: true) }
        cache[metadata] = fields
        return fields
    }

    private func vectorOffset(ofClass descriptor: UInt64) -> UInt64? {
        guard let flags = memory.word32(at: descriptor), let words = memory.word32(at: descriptor &+ 40), words > 0,
            words < 1 << 16
        else { return nil }
        guard flags & (1 << 29) != 0 else { return UInt64(words) * 8 }
        // With a resilient superclass the vector counts from the class's own members.
        return ClassLayout.argumentsOffset(descriptor, memory).map { UInt64($0) + UInt64(words) * 8 }
    }

    private func fields(_ descriptor: UInt64, _ count: UInt32, _ offset: (UInt32) -> UInt64?) -> [Field] {
        guard let table = memory.relative(at: descriptor &+ 16),
            let recordBytes = memory.integer(at: table &+ 10, UInt16.self), recordBytes >= 12, recordBytes <= 64,
            memory.word32(at: table &+ 12) == count
        else { return [] }
        var result: [Field] = []
        for index in 0..<count {
            let record = table &+ 16 &+ UInt64(index) * UInt64(recordBytes)
            guard let place = offset(index), place < 1 << 28, let name = names.text(relativeAt: record &+ 8) else {
                continue
            }
            let type = memory.relative(at: record &+ 4)
            result.append(
                Field(
                    name: name, offset: place, isStrong: type.map(isStrong) ?? true,
                    descriptor: type.flatMap(nominalDescriptor)))
        }
        return result.sorted { $0.offset < $1.offset }
    }

    /// False for types that end in the manglings of `weak`, `unowned` and `unowned(unsafe)`.
    private func isStrong(_ type: UInt64) -> Bool {
        guard let name = mangled(type), name.count >= 2, name[name.count - 2] == UInt8(ascii: "X") else { return true }
        return !Array("wou".utf8).contains(name[name.count - 1])
    }

    /// A mangled type name whose symbolic references may hold zeros: they are stepped over.
    private func mangled(_ address: UInt64) -> [UInt8]? {
        var result: [UInt8] = []
        var next = address
        while result.count < 512, let byte = memory.integer(at: next, UInt8.self), byte != 0 {
            result.append(byte)
            next &+= 1
            if (0x01...0x1F).contains(byte) {
                let width: UInt64 = byte >= 0x18 ? 8 : 4
                result += [UInt8](repeating: 0x2E, count: Int(width))
                next &+= width
            }
        }
        return result.isEmpty ? nil : result
    }

    /// Symbolic references 1 (direct) and 2 (through a pointer) to a type's descriptor, when they are the whole name.
    private func nominalDescriptor(_ type: UInt64) -> UInt64? {
        guard let kind = memory.integer(at: type, UInt8.self), kind == 1 || kind == 2,
            memory.integer(at: type &+ 5, UInt8.self) == 0, let target = memory.relative(at: type &+ 1)
        else { return nil }
        return kind == 1 ? target : memory.word(at: target)
    }
}
