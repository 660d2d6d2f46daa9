/// Small scattered reads out of a `MemorySource`, through a bounded cache of pages. Every read may answer nil.
///
/// Only addresses in readable mappings are read at all: a word that merely looks like a pointer costs no system call.
/// Memory is at most `pageLimit` pages of 4 KiB; when the cache is full, it is emptied.
final class CheckedMemory {
    private static let pageBytes: UInt64 = 4_096
    let source: any MemorySource
    let map: MemoryMap
    private var pages: [UInt64: [UInt8]] = [:]
    private let pageLimit: Int
    /// Pages read so far: what the time of an inspection goes into.
    private(set) var pagesRead = 0
    private var lastPage: UInt64 = .max
    private var last: [UInt8] = []

    init(_ source: any MemorySource, map: MemoryMap, pageLimit: Int = 4_096) {
        self.source = source
        self.map = map
        self.pageLimit = pageLimit
    }

    /// Reads everything anew from now on.
    func forget() {
        pages.removeAll(keepingCapacity: true)
        lastPage = .max
        last = []
    }

    func isReadable(_ address: UInt64) -> Bool {
        map.region(of: address)?.isReadable == true
    }

    func word(at address: UInt64) -> UInt64? {
        integer(at: address, UInt64.self)
    }

    func word32(at address: UInt64) -> UInt32? {
        integer(at: address, UInt32.self)
    }

    func integer<T: FixedWidthInteger>(at address: UInt64, _ type: T.Type) -> T? {
        let offset = Int(address % Self.pageBytes)
        let size = MemoryLayout<T>.size
        if offset + size <= Int(Self.pageBytes) {
            guard let page = page(address / Self.pageBytes), page.count >= offset + size else { return nil }
            return page.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
        }
        guard let bytes = bytes(at: address, count: size) else { return nil }
        return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(as: T.self)) }
    }

    /// Exactly `count` bytes (at most 1 MiB), or nil.
    func bytes(at address: UInt64, count: Int) -> [UInt8]? {
        guard count >= 0, count <= 1 << 20, address.addingReportingOverflow(UInt64(count)).overflow == false else {
            return nil
        }
        var result: [UInt8] = []
        result.reserveCapacity(count)
        while result.count < count {
            let next = address + UInt64(result.count)
            let offset = Int(next % Self.pageBytes)
            guard let page = page(next / Self.pageBytes), page.count > offset else { return nil }
            result += page[offset...].prefix(count - result.count)
        }
        return result
    }

    /// Bytes up to the zero that ends them; nil when there is none within `limit` bytes.
    func text(at address: UInt64, limit: Int) -> [UInt8]? {
        var result: [UInt8] = []
        while result.count < limit {
            let (next, overflow) = address.addingReportingOverflow(UInt64(result.count))
            let offset = Int(next % Self.pageBytes)
            guard !overflow, let page = page(next / Self.pageBytes), page.count > offset else { return nil }
            let rest = page[offset...].prefix(limit - result.count)
            if let end = rest.firstIndex(of: 0) { return result + rest[..<end] }
            result += rest
        }
        return nil
    }

    /// A relative pointer (a signed 32-bit distance from its own address); nil when unreadable or zero.
    func relative(at address: UInt64) -> UInt64? {
        guard let distance = integer(at: address, Int32.self), distance != 0 else { return nil }
        return address &+ UInt64(bitPattern: Int64(distance))
    }

    /// A relative pointer whose lowest bit says that it leads to an absolute pointer.
    func relativeIndirectable(at address: UInt64) -> UInt64? {
        guard let distance = integer(at: address, Int32.self), distance != 0 else { return nil }
        let target = address &+ UInt64(bitPattern: Int64(distance & ~1))
        return distance & 1 == 0 ? target : word(at: target)
    }

    private func page(_ number: UInt64) -> [UInt8]? {
        if number == lastPage { return last.isEmpty ? nil : last }
        let page = pages[number] ?? load(number)
        lastPage = number
        last = page
        return page.isEmpty ? nil : page
    }

    private func load(_ number: UInt64) -> [UInt8] {
        let (address, overflow) = number.multipliedReportingOverflow(by: Self.pageBytes)
        var page: [UInt8] = []
        if !overflow, isReadable(address) {
            page = [UInt8](unsafeUninitializedCapacity: Int(Self.pageBytes)) { buffer, count in
                count = min(buffer.count, max(0, source.read(at: address, into: UnsafeMutableRawBufferPointer(buffer))))
            }
            pagesRead += 1
        }
        if pages.count >= pageLimit { pages.removeAll(keepingCapacity: true) }
        pages[number] = page
        return page
    }
}
