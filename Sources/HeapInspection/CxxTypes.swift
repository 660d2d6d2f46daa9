import CElf

/// Names of C++ classes with virtual functions: their objects begin with a pointer into a vtable, in front of which stands
/// the type_info with the name (Itanium C++ ABI, 2.5.2 and 2.9.5). Needs no symbols.
final class CxxTypes {
    private let memory: CheckedMemory
    private let modules: ModuleMap
    private var cache: [UInt64: String?] = [:]
    private static let cacheLimit = 16_384
    private static let nameBytesLimit = 512

    init(_ memory: CheckedMemory, _ modules: ModuleMap) {
        self.memory = memory
        self.modules = modules
    }

    /// The class of the object that begins at an address; nil when it is none, or made without type information.
    func name(at address: UInt64) -> String? {
        guard let table = memory.word(at: address), table % 8 == 0, modules.index(of: table) != nil else { return nil }
        if let known = cache[table] { return known }
        let name = read(table)
        if cache.count >= Self.cacheLimit { cache.removeAll(keepingCapacity: true) }
        cache[table] = .some(name)
        return name
    }

    private func read(_ table: UInt64) -> String? {
        guard let first = memory.word(at: table), isCode(first), let toTop = memory.word(at: table &- 16), toTop == 0,
            let information = memory.word(at: table &- 8), information % 8 == 0, modules.index(of: information) != nil,
            let own = memory.word(at: information), modules.index(of: own) != nil,
            let text = memory.word(at: information &+ 8), modules.index(of: text) != nil,
            let bytes = memory.text(at: text, limit: Self.nameBytesLimit), bytes.count > 1,
            bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        // A star in front marks a name that is local to its file.
        return Self.demangled(bytes[0] == UInt8(ascii: "*") ? Array(bytes.dropFirst()) : bytes)
    }

    private func isCode(_ address: UInt64) -> Bool {
        modules.module(of: address)?.code.contains { $0.contains(address) } == true
    }

    private static func demangled(_ mangled: [UInt8]) -> String? {
        var buffer = [CChar](repeating: 0, count: 1_024)
        let count = mangled.withUnsafeBytes { bytes in
            celf_demangle_type(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, &buffer, buffer.count)
        }
        guard count > 0, count < buffer.count - 1 else { return nil }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
