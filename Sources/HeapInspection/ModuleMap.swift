/// A program or shared library in a process's memory.
package struct ModuleImage: Hashable, Sendable {
    /// As the memory map names it; " (deleted)" is cut off.
    package var path: String
    /// The file was deleted or replaced since it was loaded.
    package var isDeleted: Bool
    /// What is added to the file's addresses.
    package var bias: UInt64
    package var low: UInt64
    /// One behind its last byte, zero-initialised data included.
    package var high: UInt64
    package var buildID: [UInt8]
    /// Writable data (globals and statics live here), without what is read-only after relocation.
    package var data: [Range<UInt64>]
    package var code: [Range<UInt64>]
    package var inode: UInt64

    package var name: String { String(path.split(separator: "/").last ?? "?") }
}

/// The modules of a process, found by the ELF headers in its memory.
package struct ModuleMap: Sendable {
    /// Sorted by `low`.
    package private(set) var modules: [ModuleImage] = []
    package static let moduleLimit = 4_096

    /// Looks for an ELF header at the start of every file mapping. At most `moduleLimit` modules; more are left out.
    package init(map: MemoryMap, source: any MemorySource) {
        for region in map.regions where region.offset == 0 && region.isReadable && region.path.hasPrefix("/") {
            guard region.end <= 1 << 47 else { break }
            guard modules.count < Self.moduleLimit else { break }
            // A small file's first page is mapped again for its data: that is no second image.
            if let last = modules.last, last.inode == region.inode, region.start < last.high { continue }
            if let image = Self.image(region, source) { modules.append(image) }
        }
        modules.sort { $0.low < $1.low }
    }

    package init(_ modules: [ModuleImage]) {
        self.modules = modules.sorted { $0.low < $1.low }
    }

    /// The module an address lies in.
    package func module(of address: UInt64) -> ModuleImage? {
        index(of: address).map { modules[$0] }
    }

    package func index(of address: UInt64) -> Int? {
        var low = 0
        var high = modules.count
        while low < high {
            let middle = (low + high) / 2
            if modules[middle].low <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, address < modules[low - 1].high else { return nil }
        return low - 1
    }

    /// The module whose writable data an address lies in.
    package func moduleWithData(at address: UInt64) -> ModuleImage? {
        module(of: address).flatMap { module in module.data.contains { $0.contains(address) } ? module : nil }
    }

    private static func image(_ region: MemoryRegion, _ source: any MemorySource) -> ModuleImage? {
        let header = ElfHeader { offset, count in
            let (address, overflow) = region.start.addingReportingOverflow(offset)
            guard !overflow, count >= 0, count <= 65_536 else { return nil }
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                filled = min(count, max(0, source.read(at: address, into: UnsafeMutableRawBufferPointer(buffer))))
            }
            return bytes.count == count ? bytes : nil
        }
        guard let header else { return nil }
        let bias = region.start &- header.lowest
        let deleted = " (deleted)"
        let isDeleted = region.path.hasSuffix(deleted)
        return ModuleImage(
            path: isDeleted ? String(region.path.dropLast(deleted.count)) : region.path, isDeleted: isDeleted,
            bias: bias, low: region.start, high: bias &+ header.highest, buildID: header.buildID,
            data: header.segments.filter(\.isWritable).flatMap { ranges($0, bias: bias, without: header.relro) },
            code: header.segments.filter(\.isExecutable).flatMap { ranges($0, bias: bias, without: nil) },
            inode: region.inode)
    }

    private static func ranges(
        _ segment: ElfHeader.Segment, bias: UInt64, without relro: Range<UInt64>?
    ) -> [Range<UInt64>] {
        let low = segment.address &+ bias
        let high = low &+ segment.byteCount
        guard low < high else { return [] }
        guard let relro, relro.lowerBound &+ bias <= low, relro.upperBound &+ bias > low else { return [low..<high] }
        // Protection works by pages: what shares the last page with other data stays writable.
        let behind = (relro.upperBound &+ bias) & ~4_095
        return behind < high ? [max(low, behind)..<high] : []
    }
}
