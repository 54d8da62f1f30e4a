// Made of the C headers by codec/c/header.py; they say what each of these is.

extern "C" {
    pub fn migstream_version() -> *const c_char;
}
extern "C" {
    pub fn migstream_version_number() -> u32;
}
pub type migstream_status = i32;
pub const MIGSTREAM_OK: i32 = 0;
pub const MIGSTREAM_EVENT: i32 = 1;
pub const MIGSTREAM_NEED_INPUT: i32 = 2;
pub const MIGSTREAM_DONE: i32 = 3;
pub const MIGSTREAM_FULL: i32 = 4;
pub const MIGSTREAM_ERROR: i32 = -1;
pub const MIGSTREAM_NO_MEMORY: i32 = -2;
pub const MIGSTREAM_BAD_ARGUMENT: i32 = -3;
pub const MIGSTREAM_REENTERED: i32 = -4;
pub const MIGSTREAM_NOT_SUPPORTED: i32 = -5;
extern "C" {
    pub fn migstream_status_name(status: migstream_status) -> *const c_char;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_error {
    pub struct_size: usize,
    pub code: i32,
    pub offset: u64,
    pub section: *const c_char,
    pub reason: *const c_char,
    pub file: *const c_char,
    pub text: *const c_char,
}

extern "C" {
    pub fn migstream_last_error(handle: *const c_void, error: *mut *const migstream_error) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_allocator {
    pub struct_size: usize,
    pub context: *mut c_void,
    pub allocate: Option<unsafe extern "C" fn(context: *mut c_void, bytes: usize, alignment: usize) -> *mut c_void>,
    pub release: Option<unsafe extern "C" fn(context: *mut c_void, memory: *mut c_void, bytes: usize, alignment: usize)>,
}

extern "C" {
    pub fn migstream_destroy(handle: *mut c_void) -> migstream_status;
}
pub const MIGSTREAM_DIALECT_AUTO: i32 = 0;
pub const MIGSTREAM_DIALECT_V52: i32 = 1;
pub const MIGSTREAM_DIALECT_V60: i32 = 2;
pub const MIGSTREAM_DIALECT_V80: i32 = 3;
pub const MIGSTREAM_DIALECT_V81: i32 = 4;
pub const MIGSTREAM_DIALECT_V100: i32 = 5;
pub const MIGSTREAM_DIALECT_V100M: i32 = 6;
pub const MIGSTREAM_DIALECT_V101M: i32 = 7;
pub const MIGSTREAM_DIALECT_V111: i32 = 8;
pub const MIGSTREAM_DIALECT_V111M: i32 = 9;
pub const MIGSTREAM_DIALECT_E1: i32 = 1001;
pub const MIGSTREAM_DIALECT_E2: i32 = 1002;
pub const MIGSTREAM_DIALECT_E3: i32 = 1003;
pub const MIGSTREAM_DIALECT_E4: i32 = 1004;
pub const MIGSTREAM_DIALECT_E5_V7: i32 = 1005;
pub const MIGSTREAM_DIALECT_E5_V26: i32 = 1006;
pub const MIGSTREAM_DIALECT_E6: i32 = 1007;
pub const MIGSTREAM_DIALECT_E7: i32 = 1008;
extern "C" {
    pub fn migstream_dialect_name(dialect: i32) -> *const c_char;
}
extern "C" {
    pub fn migstream_find_dialect(name: *const c_char, dialect: *mut i32) -> migstream_status;
}
pub const MIGSTREAM_SECTION_START: i32 = 1;
pub const MIGSTREAM_SECTION_PART: i32 = 2;
pub const MIGSTREAM_SECTION_END: i32 = 3;
pub const MIGSTREAM_SECTION_FULL: i32 = 4;
pub const MIGSTREAM_ELEMENT_NONE: i32 = 0;
pub const MIGSTREAM_ELEMENT_SETUP: i32 = 1;
pub const MIGSTREAM_ELEMENT_CONFIG: i32 = 2;
pub const MIGSTREAM_ELEMENT_TRIGGER: i32 = 3;
pub const MIGSTREAM_ELEMENT_DATA_STATE_COMPLETE: i32 = 4;
pub const MIGSTREAM_ELEMENT_DATA: i32 = 5;
pub const MIGSTREAM_ELEMENT_END_OF_STATE: i32 = 6;
pub const MIGSTREAM_ELEMENT_INIT_DATA_SENT: i32 = 7;
pub const MIGSTREAM_ELEMENT_CONFIG_LOAD_READY: i32 = 8;
pub const MIGSTREAM_EVENT_TAG: i32 = 0;
pub const MIGSTREAM_EVENT_DATA: i32 = 1;
pub const MIGSTREAM_EVENT_CONFIG: i32 = 2;
pub const MIGSTREAM_EVENT_SUBSECTION: i32 = 3;
pub const MIGSTREAM_EVENT_CONFIG_END: i32 = 4;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_subsection {
    pub name: *const c_char,
    pub name_bytes: usize,
    pub payload: *const u8,
    pub payload_bytes: usize,
    pub version: u32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_config {
    pub struct_size: usize,
    pub version: u32,
    pub pci_config: *const u8,
    pub pci_config_bytes: usize,
    pub irq_state: [u32; 4],
    pub msix_table: *const u8,
    pub msix_table_bytes: usize,
    pub msix_pba: *const u8,
    pub msix_pba_bytes: usize,
    pub subsections: *const migstream_subsection,
    pub subsection_count: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_event {
    pub struct_size: usize,
    pub kind: i32,
    pub element: i32,
    pub offset: u64,
    pub payload: *const u8,
    pub payload_bytes: usize,
    pub record_bytes: u64,
    pub record_offset: u64,
    pub starts_record: i32,
    pub version: u32,
    pub name: *const c_char,
    pub name_bytes: usize,
    pub config: *const migstream_config,
    pub internal: *const c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_config_hints {
    pub struct_size: usize,
    pub content_bytes: u64,
    pub pci_config_bytes: u32,
    pub has_msix_vectors: i32,
    pub msix_vectors: u32,
    pub has_footer: i32,
    pub footer_section_id: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_position {
    pub struct_size: usize,
    pub offset: u64,
    pub payload_left: u64,
    pub bytes_needed: usize,
}

extern "C" {
    pub fn migstream_get_position(decoder: *const c_void, position: *mut *const migstream_position) -> migstream_status;
}
extern "C" {
    pub fn migstream_at_end_of_input(decoder: *mut c_void, left: *const iovec) -> migstream_status;
}
extern "C" {
    pub fn migstream_get_pieces(encoder: *const c_void, pieces: *mut *const iovec, count: *mut c_int) -> migstream_status;
}
extern "C" {
    pub fn migstream_clear_pieces(encoder: *mut c_void) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_section_options {
    pub struct_size: usize,
    pub allocator: *const migstream_allocator,
    pub type_: i32,
    pub dialect: i32,
    pub device: *const c_char,
    pub offset: u64,
    pub config: *const migstream_config_hints,
    pub switchover_ack_off: i32,
    pub max_subsections: u32,
    pub max_record_bytes: u64,
    pub max_config_bytes: u64,
}

#[repr(C)]
pub struct migstream_section_decoder {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct migstream_section_encoder {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_section_decoder_create(arg0: *const migstream_section_options, decoder: *mut *mut migstream_section_decoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_decoder_restart(arg0: *mut migstream_section_decoder, arg1: *const migstream_section_options) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_decoder_next(arg0: *mut migstream_section_decoder, input: *mut iovec, event: *mut *const migstream_event) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_decoder_take_over(arg0: *mut migstream_section_decoder, bytes: u64) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_create(arg0: *const migstream_section_options, encoder: *mut *mut migstream_section_encoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_restart(arg0: *mut migstream_section_encoder, arg1: *const migstream_section_options) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_tag(arg0: *mut migstream_section_encoder, element: i32) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_data(arg0: *mut migstream_section_encoder, payload: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_data_header(arg0: *mut migstream_section_encoder, record_bytes: u64) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_payload(arg0: *mut migstream_section_encoder, payload: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_take_over(arg0: *mut migstream_section_encoder, bytes: u64) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_config(arg0: *mut migstream_section_encoder, config: *const migstream_config) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_subsection(arg0: *mut migstream_section_encoder, name: *const c_char, version: u32, payload: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_end_config(arg0: *mut migstream_section_encoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_append(arg0: *mut migstream_section_encoder, event: *const migstream_event) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_section {
    pub struct_size: usize,
    pub type_: i32,
    pub id: u32,
    pub offset: u64,
    pub idstr: *const c_char,
    pub idstr_bytes: usize,
    pub instance_id: u32,
    pub version_id: u32,
    pub vfio: i32,
}

pub const MIGSTREAM_STREAM_HEADER: i32 = 0;
pub const MIGSTREAM_STREAM_CONFIGURATION: i32 = 1;
pub const MIGSTREAM_STREAM_CONFIGURATION_SUBSECTION: i32 = 2;
pub const MIGSTREAM_STREAM_SECTION: i32 = 3;
pub const MIGSTREAM_STREAM_DEVICE: i32 = 4;
pub const MIGSTREAM_STREAM_CONTENT: i32 = 5;
pub const MIGSTREAM_STREAM_TAKEN_OVER: i32 = 6;
pub const MIGSTREAM_STREAM_RAM_RECORD: i32 = 7;
pub const MIGSTREAM_STREAM_RAM_BLOCK: i32 = 8;
pub const MIGSTREAM_STREAM_RAM_BLOCKS: i32 = 9;
pub const MIGSTREAM_STREAM_SECTION_END: i32 = 10;
pub const MIGSTREAM_STREAM_COMMAND: i32 = 11;
pub const MIGSTREAM_STREAM_EOF: i32 = 12;
pub const MIGSTREAM_STREAM_FINDING: i32 = 14;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_stream_event {
    pub struct_size: usize,
    pub kind: i32,
    pub version: u32,
    pub offset: u64,
    pub section: *const migstream_section,
    pub device: *const migstream_event,
    pub bytes: *const u8,
    pub byte_count: usize,
    pub name: *const c_char,
    pub name_bytes: usize,
    pub content_bytes: u64,
    pub payload_bytes: u64,
    pub footer: i32,
    pub command: u32,
    pub ram_flags: u64,
    pub ram_block: *const c_char,
    pub ram_block_bytes: u64,
    pub ram_offset: u64,
    pub finding: *const c_char,
    pub internal: *const c_void,
}

pub const MIGSTREAM_LENGTH_UNKNOWN: i32 = 0;
pub const MIGSTREAM_LENGTH_BYTES: i32 = 1;
pub const MIGSTREAM_LENGTH_NEED_INPUT: i32 = 2;
pub const MIGSTREAM_LENGTH_TAKEN_OVER: i32 = 3;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_stream_options {
    pub struct_size: usize,
    pub allocator: *const migstream_allocator,
    pub dialect: i32,
    pub switchover_ack_off: i32,
    pub offset: u64,
    pub page_bytes: u64,
    pub has_footers: i32,
    pub footers: i32,
    pub context: *mut c_void,
    pub content_length: Option<unsafe extern "C" fn(context: *mut c_void, arg1: *const migstream_section, input: *const c_void, input_bytes: usize, bytes: *mut u64) -> i32>,
    pub config_hints: Option<unsafe extern "C" fn(context: *mut c_void, arg1: *const migstream_section, hints: *mut migstream_config_hints)>,
    pub max_record_bytes: u64,
    pub max_sections: u32,
    pub max_devices: u32,
    pub max_ram_blocks: u32,
}

#[repr(C)]
pub struct migstream_stream_decoder {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct migstream_stream_encoder {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_stream_decoder_create(arg0: *const migstream_stream_options, decoder: *mut *mut migstream_stream_decoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_decoder_next(arg0: *mut migstream_stream_decoder, input: *mut iovec, event: *mut *const migstream_stream_event) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_decoder_take_over(arg0: *mut migstream_stream_decoder, bytes: u64) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_decoder_end_content(arg0: *mut migstream_stream_decoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_create(arg0: *const migstream_stream_options, encoder: *mut *mut migstream_stream_encoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_header(arg0: *mut migstream_stream_encoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_configuration(arg0: *mut migstream_stream_encoder, machine_type: *const c_char) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_section(arg0: *mut migstream_stream_encoder, section: *const migstream_section) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_tag(arg0: *mut migstream_stream_encoder, element: i32) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_data(arg0: *mut migstream_stream_encoder, payload: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_data_header(arg0: *mut migstream_stream_encoder, record_bytes: u64) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_payload(arg0: *mut migstream_stream_encoder, payload: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_take_over(arg0: *mut migstream_stream_encoder, bytes: u64) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_config(arg0: *mut migstream_stream_encoder, config: *const migstream_config) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_subsection(arg0: *mut migstream_stream_encoder, name: *const c_char, version: u32, payload: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_end_config(arg0: *mut migstream_stream_encoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_content(arg0: *mut migstream_stream_encoder, bytes: *const c_void, byte_count: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_end_section(arg0: *mut migstream_stream_encoder, footer: i32) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_command(arg0: *mut migstream_stream_encoder, command: u32, data: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_eof(arg0: *mut migstream_stream_encoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_description(arg0: *mut migstream_stream_encoder, json: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_stream_encoder_append(arg0: *mut migstream_stream_encoder, event: *const migstream_stream_event) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_decoder_next_batch(arg0: *mut migstream_section_decoder, input: *mut iovec, records: *mut iovec, capacity: usize, count: *mut usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_section_encoder_data_batch(arg0: *mut migstream_section_encoder, payloads: *const iovec, count: usize, put: *mut usize) -> migstream_status;
}
pub const MIGSTREAM_REPLY_SHUT: i32 = 1;
pub const MIGSTREAM_REPLY_PONG: i32 = 2;
pub const MIGSTREAM_REPLY_REQ_PAGES_ID: i32 = 3;
pub const MIGSTREAM_REPLY_REQ_PAGES: i32 = 4;
pub const MIGSTREAM_REPLY_RECV_BITMAP: i32 = 5;
pub const MIGSTREAM_REPLY_RESUME_ACK: i32 = 6;
pub const MIGSTREAM_REPLY_SWITCHOVER_ACK: i32 = 7;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_reply {
    pub struct_size: usize,
    pub type_: i32,
    pub value: u32,
    pub offset: u64,
    pub start: u64,
    pub bytes: u32,
    pub block: *const c_char,
    pub block_bytes: usize,
    pub bitmap_bytes: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_return_path_options {
    pub struct_size: usize,
    pub allocator: *const migstream_allocator,
    pub offset: u64,
}

#[repr(C)]
pub struct migstream_return_path_decoder {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct migstream_return_path_encoder {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_return_path_decoder_create(arg0: *const migstream_return_path_options, decoder: *mut *mut migstream_return_path_decoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_return_path_decoder_next(arg0: *mut migstream_return_path_decoder, input: *mut iovec, reply: *mut *const migstream_reply) -> migstream_status;
}
extern "C" {
    pub fn migstream_return_path_encoder_create(arg0: *const migstream_return_path_options, encoder: *mut *mut migstream_return_path_encoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_return_path_encoder_send(arg0: *mut migstream_return_path_encoder, reply: *const migstream_reply, bitmap: *const c_void, bitmap_bytes: usize) -> migstream_status;
}
pub const MIGSTREAM_CHANNEL_INIT: i32 = 0;
pub const MIGSTREAM_CHANNEL_RAM_PACKET: i32 = 1;
pub const MIGSTREAM_CHANNEL_DEVICE_STATE: i32 = 2;
pub const MIGSTREAM_CHANNEL_PAYLOAD: i32 = 3;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_channel_event {
    pub struct_size: usize,
    pub kind: i32,
    pub flags: u32,
    pub offset: u64,
    pub bytes: *const u8,
    pub byte_count: usize,
    pub uuid: *const u8,
    pub channel_id: u32,
    pub instance_id: u32,
    pub name: *const c_char,
    pub name_bytes: usize,
    pub normal_pages: u32,
    pub zero_pages: u32,
    pub payload_bytes: u32,
    pub payload_offset: u32,
    pub packet: *const u8,
    pub packet_bytes: usize,
    pub internal: *const c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_channel_options {
    pub struct_size: usize,
    pub allocator: *const migstream_allocator,
    pub name: *const c_char,
    pub page_bytes: u32,
    pub max_packet_bytes: u32,
    pub host_endian: i32,
}

#[repr(C)]
pub struct migstream_channel_decoder {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct migstream_channel_encoder {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_channel_decoder_create(arg0: *const migstream_channel_options, decoder: *mut *mut migstream_channel_decoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_channel_decoder_next(arg0: *mut migstream_channel_decoder, input: *mut iovec, event: *mut *const migstream_channel_event) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_piece {
    pub struct_size: usize,
    pub idstr: *const c_char,
    pub idstr_bytes: usize,
    pub instance_id: u32,
    pub index: u32,
    pub config: i32,
    pub data: *const u8,
    pub data_bytes: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_reassembler_options {
    pub struct_size: usize,
    pub allocator: *const migstream_allocator,
    pub host_endian: i32,
    pub max_index: u32,
    pub max_gap: u32,
    pub max_devices: u32,
    pub max_held_bytes: u64,
}

#[repr(C)]
pub struct migstream_reassembler {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_reassembler_create(arg0: *const migstream_reassembler_options, reassembler: *mut *mut migstream_reassembler) -> migstream_status;
}
extern "C" {
    pub fn migstream_reassembler_add(arg0: *mut migstream_reassembler, idstr: *const c_char, instance_id: u32, packet: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_reassembler_next(arg0: *mut migstream_reassembler, piece: *mut *const migstream_piece) -> migstream_status;
}
extern "C" {
    pub fn migstream_reassembler_finish(arg0: *mut migstream_reassembler) -> migstream_status;
}
extern "C" {
    pub fn migstream_channel_encoder_create(arg0: *const migstream_channel_options, encoder: *mut *mut migstream_channel_encoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_channel_encoder_init(arg0: *mut migstream_channel_encoder, uuid: *const u8, channel_id: u32) -> migstream_status;
}
extern "C" {
    pub fn migstream_channel_encoder_packet(arg0: *mut migstream_channel_encoder, packet: *const migstream_piece) -> migstream_status;
}
extern "C" {
    pub fn migstream_channel_encoder_packet_header(arg0: *mut migstream_channel_encoder, packet: *const migstream_piece) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_ram_packet {
    pub struct_size: usize,
    pub flags: u32,
    pub allocated_pages: u32,
    pub normal_pages: u32,
    pub zero_pages: u32,
    pub payload_bytes: u32,
    pub packet_number: u64,
    pub block: *const c_char,
    pub block_bytes: usize,
    pub offsets: *const u8,
    pub offsets_bytes: usize,
}

extern "C" {
    pub fn migstream_channel_encoder_ram(arg0: *mut migstream_channel_encoder, packet: *const migstream_ram_packet) -> migstream_status;
}
extern "C" {
    pub fn migstream_channel_encoder_sync(arg0: *mut migstream_channel_encoder, packet_number: u64) -> migstream_status;
}
extern "C" {
    pub fn migstream_channel_encoder_payload(arg0: *mut migstream_channel_encoder, payload: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_channel_encoder_take_over(arg0: *mut migstream_channel_encoder, bytes: u64) -> migstream_status;
}
extern "C" {
    pub fn migstream_channel_encoder_append(arg0: *mut migstream_channel_encoder, event: *const migstream_channel_event) -> migstream_status;
}
pub const MIGSTREAM_PAYLOAD_RECORD: i32 = 0;
pub const MIGSTREAM_PAYLOAD_FIELDS: i32 = 1;
pub const MIGSTREAM_PAYLOAD_OPAQUE: i32 = 2;
pub const MIGSTREAM_PAYLOAD_RECORD_END: i32 = 3;
pub const MIGSTREAM_PAYLOAD_OVERRUN: i32 = 4;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_payload_event {
    pub struct_size: usize,
    pub kind: i32,
    pub depth: u32,
    pub offset: u64,
    pub record_offset: u64,
    pub key: u64,
    pub bytes: u64,
    pub left: u64,
    pub name: *const c_char,
    pub name_bytes: usize,
    pub view: *const u8,
    pub view_bytes: usize,
    pub big_endian: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_payload_options {
    pub struct_size: usize,
    pub allocator: *const migstream_allocator,
    pub device: *const c_char,
    pub driver: *const c_char,
    pub has_ids: i32,
    pub vendor_id: u32,
    pub device_id: u32,
    pub head: *const c_void,
    pub head_bytes: usize,
}

#[repr(C)]
pub struct migstream_payload_decoder {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_payload_decoder_create(arg0: *const migstream_payload_options, decoder: *mut *mut migstream_payload_decoder) -> migstream_status;
}
extern "C" {
    pub fn migstream_payload_decoder_driver(arg0: *const migstream_payload_decoder) -> *const c_char;
}
extern "C" {
    pub fn migstream_payload_decoder_next(arg0: *mut migstream_payload_decoder, input: *mut iovec, event: *mut *const migstream_payload_event) -> migstream_status;
}
pub const MIGSTREAM_STATE_ERROR: i32 = 0;
pub const MIGSTREAM_STATE_STOP: i32 = 1;
pub const MIGSTREAM_STATE_RUNNING: i32 = 2;
pub const MIGSTREAM_STATE_STOP_COPY: i32 = 3;
pub const MIGSTREAM_STATE_RESUMING: i32 = 4;
pub const MIGSTREAM_STATE_RUNNING_P2P: i32 = 5;
pub const MIGSTREAM_STATE_PRE_COPY: i32 = 6;
pub const MIGSTREAM_STATE_PRE_COPY_P2P: i32 = 7;
pub const MIGSTREAM_MIGRATION_STOP_COPY: i32 = 1;
pub const MIGSTREAM_MIGRATION_P2P: i32 = 2;
pub const MIGSTREAM_MIGRATION_PRE_COPY: i32 = 4;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_device_functions {
    pub struct_size: usize,
    pub set_state: Option<unsafe extern "C" fn(context: *mut c_void, state: u32, new_session: *mut c_int) -> c_int>,
    pub get_state: Option<unsafe extern "C" fn(context: *mut c_void, state: *mut u32) -> c_int>,
    pub drop_session: Option<unsafe extern "C" fn(context: *mut c_void)>,
    pub reset: Option<unsafe extern "C" fn(context: *mut c_void) -> c_int>,
    pub read: Option<unsafe extern "C" fn(context: *mut c_void, buffer: *mut c_void, bytes: usize) -> i64>,
    pub write: Option<unsafe extern "C" fn(context: *mut c_void, data: *const c_void, bytes: usize) -> i64>,
    pub wait: Option<unsafe extern "C" fn(context: *mut c_void, writing: c_int) -> c_int>,
    pub get_precopy_bytes: Option<unsafe extern "C" fn(context: *mut c_void, initial: *mut u64, dirty: *mut u64, reinit: *mut c_int) -> c_int>,
    pub get_stop_copy_bytes: Option<unsafe extern "C" fn(context: *mut c_void, bytes: *mut u64) -> c_int>,
    pub start_reading: Option<unsafe extern "C" fn(context: *mut c_void, pending: *mut c_int, bytes: *mut u64) -> c_int>,
    pub start_writing: Option<unsafe extern "C" fn(context: *mut c_void, bytes: u64) -> c_int>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_device_options {
    pub struct_size: usize,
    pub allocator: *const migstream_allocator,
    pub functions: *const migstream_device_functions,
    pub context: *mut c_void,
    pub flags: u64,
    pub has_records: i32,
    pub tells_reinit: i32,
    pub wait_milliseconds: i32,
}

#[repr(C)]
pub struct migstream_device {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct migstream_set {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_device_create(arg0: *const migstream_device_options, device: *mut *mut migstream_device) -> migstream_status;
}
extern "C" {
    pub fn migstream_device_from_fd(arg0: *const migstream_device_options, fd: c_int, device: *mut *mut migstream_device) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_set_options {
    pub struct_size: usize,
    pub allocator: *const migstream_allocator,
}

extern "C" {
    pub fn migstream_set_create(arg0: *const migstream_set_options, set: *mut *mut migstream_set) -> migstream_status;
}
extern "C" {
    pub fn migstream_set_add(arg0: *mut migstream_set, device: *mut migstream_device, idstr: *const c_char, instance_id: u32) -> migstream_status;
}
extern "C" {
    pub fn migstream_set_check(arg0: *mut migstream_set) -> migstream_status;
}
extern "C" {
    pub fn migstream_set_run(arg0: *mut migstream_set) -> migstream_status;
}
extern "C" {
    pub fn migstream_set_reset(arg0: *mut migstream_set) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_device_report {
    pub struct_size: usize,
    pub idstr: *const c_char,
    pub instance_id: u32,
    pub asked: u32,
    pub state: u32,
    pub was_reset: i32,
    pub lost: i32,
    pub failed_errno: i32,
    pub text: *const c_char,
}

extern "C" {
    pub fn migstream_set_report(arg0: *mut migstream_set, index: usize, report: *mut *const migstream_device_report) -> migstream_status;
}
pub const MIGSTREAM_OUTCOME_COMPLETED: i32 = 1;
pub const MIGSTREAM_OUTCOME_ABORTED: i32 = 2;
pub const MIGSTREAM_OUTCOME_UNKNOWN: i32 = 3;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_save_options {
    pub struct_size: usize,
    pub dialect: i32,
    pub no_footers: i32,
    pub no_return_path: i32,
    pub switchover_ack: i32,
    pub switchover_ack_legacy: i32,
    pub config_load_ready: i32,
    pub skip_empty_parts: i32,
    pub trust_shut: i32,
    pub record_bytes: u32,
    pub channels: u32,
    pub uuid: [u8; 16],
    pub section_ids: *const u32,
    pub section_id_count: usize,
    pub context: *mut c_void,
    pub write: Option<unsafe extern "C" fn(context: *mut c_void, channel: u32, pieces: *const iovec, count: c_int) -> c_int>,
}

#[repr(C)]
pub struct migstream_save {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_save_create(set: *mut migstream_set, arg1: *const migstream_save_options, save: *mut *mut migstream_save) -> migstream_status;
}
extern "C" {
    pub fn migstream_save_write_head(arg0: *mut migstream_save, machine_type: *const c_char) -> migstream_status;
}
extern "C" {
    pub fn migstream_save_start(arg0: *mut migstream_save) -> migstream_status;
}
extern "C" {
    pub fn migstream_save_iterate(arg0: *mut migstream_save, max_bytes: u64, bytes: *mut u64) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_pending {
    pub struct_size: usize,
    pub initial: u64,
    pub dirty: u64,
    pub stop_copy: u64,
    pub stop_copy_is_guess: i32,
    pub switchover_allowed: i32,
}

extern "C" {
    pub fn migstream_save_get_pending(arg0: *mut migstream_save, exact: i32, pending: *mut *const migstream_pending) -> migstream_status;
}
extern "C" {
    pub fn migstream_save_on_return_path(arg0: *mut migstream_save, input: *mut iovec) -> migstream_status;
}
extern "C" {
    pub fn migstream_save_switchover(arg0: *mut migstream_save) -> migstream_status;
}
extern "C" {
    pub fn migstream_save_complete(arg0: *mut migstream_save, configs: *const *const migstream_config, count: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_save_write_eof(arg0: *mut migstream_save, json: *const c_void, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_save_finish(arg0: *mut migstream_save, outcome: *mut i32) -> migstream_status;
}
extern "C" {
    pub fn migstream_save_decide(arg0: *mut migstream_save, runs_at_destination: i32, outcome: *mut i32) -> migstream_status;
}
extern "C" {
    pub fn migstream_save_cancel(arg0: *mut migstream_save) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_load_options {
    pub struct_size: usize,
    pub dialect: i32,
    pub channels: u32,
    pub page_bytes: u32,
    pub no_return_path: i32,
    pub switchover_ack: i32,
    pub switchover_ack_legacy: i32,
    pub wait_for_interrupts: i32,
    pub has_footers: i32,
    pub footers: i32,
    pub max_queue_bytes: u64,
    pub hints: *const *const migstream_config_hints,
    pub hint_count: usize,
    pub context: *mut c_void,
    pub content_length: Option<unsafe extern "C" fn(context: *mut c_void, arg1: *const migstream_section, input: *const c_void, input_bytes: usize, bytes: *mut u64) -> i32>,
}

pub const MIGSTREAM_ACTION_STREAM: i32 = 0;
pub const MIGSTREAM_ACTION_OPEN_RETURN_PATH: i32 = 1;
pub const MIGSTREAM_ACTION_REPLY: i32 = 2;
pub const MIGSTREAM_ACTION_APPLY_CONFIG: i32 = 3;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_action {
    pub struct_size: usize,
    pub kind: i32,
    pub device: usize,
    pub event: *const migstream_stream_event,
    pub reply: *const migstream_reply,
    pub config: *const migstream_config,
}

#[repr(C)]
pub struct migstream_load {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_load_create(set: *mut migstream_set, arg1: *const migstream_load_options, load: *mut *mut migstream_load) -> migstream_status;
}
extern "C" {
    pub fn migstream_load_start(arg0: *mut migstream_load) -> migstream_status;
}
extern "C" {
    pub fn migstream_load_next(arg0: *mut migstream_load, input: *mut iovec, action: *mut *const migstream_action) -> migstream_status;
}
extern "C" {
    pub fn migstream_load_take_over(arg0: *mut migstream_load, bytes: u64) -> migstream_status;
}
extern "C" {
    pub fn migstream_load_end_content(arg0: *mut migstream_load) -> migstream_status;
}
extern "C" {
    pub fn migstream_load_feed_channel(arg0: *mut migstream_load, channel: u32, input: *mut iovec) -> migstream_status;
}
extern "C" {
    pub fn migstream_load_interrupts_ready(arg0: *mut migstream_load) -> migstream_status;
}
extern "C" {
    pub fn migstream_load_cancel(arg0: *mut migstream_load) -> migstream_status;
}
extern "C" {
    pub fn migstream_load_check_complete(arg0: *mut migstream_load) -> migstream_status;
}
extern "C" {
    pub fn migstream_load_finish(arg0: *mut migstream_load, outcome: *mut i32, shut: *mut *const migstream_reply) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_models_options {
    pub struct_size: usize,
    pub allocator: *const migstream_allocator,
}

#[repr(C)]
pub struct migstream_models {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_models_create(arg0: *const migstream_models_options, models: *mut *mut migstream_models) -> migstream_status;
}
extern "C" {
    pub fn migstream_models_parse(arg0: *mut migstream_models, json: *const c_char, bytes: usize) -> migstream_status;
}
extern "C" {
    pub fn migstream_models_check(arg0: *mut migstream_models, device: *const c_char, made: *mut *const c_char) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_walk_options {
    pub struct_size: usize,
    pub dialect: i32,
    pub records: i32,
    pub offset: u64,
    pub page_bytes: u64,
    pub channels: *const *const c_char,
    pub channel_count: usize,
}

#[repr(C)]
pub struct migstream_walk {
    _opaque: [u8; 0],
}
extern "C" {
    pub fn migstream_walk_open(path: *const c_char, arg1: *const migstream_walk_options, walk: *mut *mut migstream_walk) -> migstream_status;
}
extern "C" {
    pub fn migstream_walk_close(walk: *mut migstream_walk) -> migstream_status;
}
extern "C" {
    pub fn migstream_inspect_version() -> *const c_char;
}
extern "C" {
    pub fn migstream_walk_last_error(walk: *const migstream_walk, error: *mut *const migstream_error) -> migstream_status;
}
extern "C" {
    pub fn migstream_walk_report(walk: *mut migstream_walk, report: *mut *const c_char) -> migstream_status;
}
extern "C" {
    pub fn migstream_walk_state(walk: *mut migstream_walk, state: *mut *const c_char) -> migstream_status;
}
pub const MIGSTREAM_SEVERITY_NOTE: i32 = 0;
pub const MIGSTREAM_SEVERITY_WARNING: i32 = 1;
pub const MIGSTREAM_SEVERITY_ERROR: i32 = 2;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_finding {
    pub struct_size: usize,
    pub severity: i32,
    pub id: *const c_char,
    pub offset: u64,
    pub section: *const c_char,
    pub message: *const c_char,
    pub file: *const c_char,
    pub kernel: *const c_char,
}

extern "C" {
    pub fn migstream_walk_check(walk: *mut migstream_walk, index: usize, finding: *mut *const migstream_finding) -> migstream_status;
}
pub const MIGSTREAM_VERDICT_LOADS: i32 = 0;
pub const MIGSTREAM_VERDICT_REFUSES: i32 = 1;
pub const MIGSTREAM_VERDICT_WAITS: i32 = 2;
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_verdict {
    pub struct_size: usize,
    pub verdict: i32,
    pub offset: u64,
    pub section: *const c_char,
    pub message: *const c_char,
}

extern "C" {
    pub fn migstream_walk_verdict(walk: *mut migstream_walk, release: *const c_char, verdict: *mut *const migstream_verdict) -> migstream_status;
}
pub const MIGSTREAM_EXTRACT_PAYLOAD: i32 = 0;
pub const MIGSTREAM_EXTRACT_CONFIG: i32 = 1;
extern "C" {
    pub fn migstream_walk_extract(walk: *mut migstream_walk, device: *const c_char, what: i32, bytes: *mut *const c_void, byte_count: *mut usize) -> migstream_status;
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct migstream_walked_section {
    pub struct_size: usize,
    pub section: *const migstream_section,
    pub content_bytes: u64,
    pub footer: i32,
}

extern "C" {
    pub fn migstream_walk_section(walk: *mut migstream_walk, index: usize, section: *mut *const migstream_walked_section) -> migstream_status;
}
