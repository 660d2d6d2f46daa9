import CacheTraces
import Testing

@Suite struct TraceSizesTests {
    @Test func `sizes are numbers with a unit`() {
        #expect(TraceSizes.parse("512,4K 2m,1G") == [512, 4_096, 2 << 20, 1 << 30])
        for wrong in ["", "x", "1,,x", "0", "-4", "4KB", "99999999999999999999", "9999999999999G"] {
            #expect(TraceSizes.parse(wrong) == nil, "\(wrong)")
        }
    }

    @Test func `a public trace has the sizes others print, another gets shares of what it touches`() throws {
        let glimpse = TraceFile(path: try traces("public/lirs/gli.trace.gz"), format: .lirs)
        #expect(TraceSizes.known(glimpse)?.sizes == [500, 1_000, 1_500])
        // 2,529 different blocks: 1, 5 and 20 %.
        #expect(try TraceSizes.measured(glimpse) == [25, 120, 500])
        let sizes = TraceFile(path: try traces("made/adapt_size/sizes.trace.xz"), format: .adaptSize)
        #expect(TraceSizes.known(sizes) == nil)
        // 4,097 bytes.
        #expect(try TraceSizes.measured(sizes) == [40, 200, 810])
    }
}
