import HeapInspection
import Testing

@Suite struct MapTests {
    @Test func `a line of the memory map is read`() throws {
        let map = try MemoryMap(Array("55d0-66d0 rw-p 00001000 08:02 173521  /usr/bin/with space\n".utf8))
        #expect(map.regions.first?.path == "/usr/bin/with space")
    }
}
