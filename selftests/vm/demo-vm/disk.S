/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first sector of a disk, which a PC boots from: counts in the second sector,
 * and prints each number that it has written, or E for a transfer that failed. Some
 * text that is not for others is put at 1 MiB in upper case, and is nowhere else like
 * that.
 */
	.code16
	.globl _start
_start:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$0x7c00, %sp
	mov	%dl, drive
	mov	$0xffff, %ax
	mov	%ax, %es
	mov	$secret, %si
	mov	$0x10, %di
	mov	$(secret_end - secret), %cx
reveal:
	lodsb
	and	$0xdf, %al
	stosb
	loop	reveal
round:
	mov	$0x42, %ah
	call	transfer
	incl	buffer
	mov	$0x43, %ah
	call	transfer
	mov	buffer, %eax
	mov	$8, %cx
digit:
	rol	$4, %eax
	push	%eax
	and	$15, %al
	add	$'0', %al
	cmp	$'9', %al
	jbe	print
	add	$('a' - '9' - 1), %al
print:
	call	put
	pop	%eax
	loop	digit
	mov	$'\n', %al
	call	put
	jmp	round

/* To or from the buffer, as %ah says. */
transfer:
	xor	%al, %al
	mov	drive, %dl
	mov	$packet, %si
	int	$0x13
	jnc	done
	mov	$'E', %al
	call	put
done:
	ret

put:
	mov	$0x3f8, %dx
	out	%al, %dx
	ret

drive:	.byte	0
	.balign	4
packet:	.byte	16, 0
	.word	1, buffer, 0
	.quad	1
secret:
	.ascii	"the_guest_keeps_this_to_itself"
secret_end:
	.org	510
	.word	0xaa55
	.equ	buffer, 0x8000
